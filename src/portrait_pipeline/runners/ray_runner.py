"""The runner: a Kedro pipeline on a Ray cluster, with the results of Kedro's own runner."""

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kedro.framework import project
from kedro.io import AbstractDataset, DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.runner import AbstractRunner

from portrait_pipeline.datasets.checkpoint import CheckpointStoreDataset
from portrait_pipeline.datasets.mlflow_run import store_answers
from portrait_pipeline.datasets.pipeline_run import PipelineRun
from portrait_pipeline.errors import TrackingLostError
from portrait_pipeline.runners.cluster import (
    address_of,
    living_hosts,
    open_cluster,
    refuse_impossible,
    with_gpus_found,
)
from portrait_pipeline.runners.dispatch import Dispatcher
from portrait_pipeline.runners.events import HookCaller
from portrait_pipeline.runners.grouping import Group, group_nodes
from portrait_pipeline.runners.mailbox import ActorOutbox, Mailbox
from portrait_pipeline.runners.settings import PARAMETERS, ClusterParameters, read_settings
from portrait_pipeline.runners.storage import check_hosts
from portrait_pipeline.runners.worker import GroupTask, Outcome, run_group

logger = logging.getLogger(__name__)


class RayRunner(AbstractRunner):
    """Runs each node as a Ray task as soon as its inputs are there.

    `kedro run --runner=portrait_pipeline.runners.RayRunner`. Without an address it starts a Ray of
    its own on this machine. The settings stand in `conf/base/parameters_cluster.yml`; those given
    here, by `--runner-params`, win.

    Args:
        is_async: Kedro's option, which must be False.
        settings: Fields of `ClusterParameters`.
    """

    def __init__(self, is_async: bool = False, **settings: Any) -> None:
        if is_async:
            raise ValueError("--async cannot be used with RayRunner, whose nodes run side by side")
        read_settings({}, settings)
        super().__init__(is_async=False)
        self._typed = settings

    def _get_executor(self, max_workers: int) -> None:
        return None

    def _run(
        self,
        pipeline: Pipeline,
        catalog: Any,  # a `DataCatalog`; Kedro names several protocols
        hook_manager: Any = None,
        run_id: str | None = None,
    ) -> None:
        given = catalog.load(PARAMETERS) if PARAMETERS in catalog else {}
        settings = read_settings(given, self._typed)
        groups = group_nodes(pipeline)
        if not groups:
            return
        with open_cluster(settings) as ray:
            hosts = living_hosts(ray)
            settings = with_gpus_found(settings, hosts)
            refuse_impossible(groups, settings, hosts)
            if address_of(settings) is not None:
                check_hosts(ray, hosts, _environment(settings), pipeline, catalog)
            hooks = HookCaller(pipeline, catalog, hook_manager, run_id)
            dispatcher = _dispatcher(ray, groups, settings, hooks, _tasks(groups, catalog, run_id))
            try:
                dispatcher.run()
            except BaseException:
                done = [node for node in pipeline.nodes if node.name in hooks.done]
                self._suggest_resume_scenario(pipeline, done, catalog)
                _stop(dispatcher)
                raise
            for name in _memory_outputs(pipeline.outputs(), catalog):
                catalog.save(name, dispatcher.value(name))


def _stop(dispatcher: Dispatcher) -> None:
    """End what runs; then no MLflow run of a model is left open."""
    try:
        dispatcher.stop()
    finally:
        pipeline_run = PipelineRun.of_this_process()
        if pipeline_run is not None:
            _close_children(pipeline_run)


def _close_children(pipeline_run: PipelineRun) -> None:
    """Close what workers could not; why the run ends matters more than this."""
    try:
        with store_answers():
            pipeline_run.close_open_children("KILLED")
    except TrackingLostError as error:
        logger.warning("%s; runs of models may be left open", error.remedy)


def _tasks(groups: Sequence[Group], catalog: DataCatalog, run_id: str | None) -> list[GroupTask]:
    read = {name for group in groups for name in group.needs}
    pipeline_run = PipelineRun.of_this_process()
    tasks = []
    for number, group in enumerate(groups):
        names = {name for node in group.nodes for name in (*node.inputs, *node.outputs)}
        datasets = {name: _for_worker(catalog, name, run_id) for name in sorted(names)}
        last = [name for name in group.outputs if name in read or _is_end(name, groups)]
        kept = tuple(_memory_outputs(last, catalog))
        tasks.append(
            GroupTask(
                number,
                group.nodes,
                datasets,
                kept,
                os.getcwd(),
                project.PACKAGE_NAME,
                pipeline_run,
            )
        )
    return tasks


def _is_end(name: str, groups: Sequence[Group]) -> bool:
    """Tell whether no node reads a dataset, so that the pipeline hands it out."""
    return not any(name in node.inputs for group in groups for node in group.nodes)


def _memory_outputs(names: Any, catalog: DataCatalog) -> list[str]:
    return [name for name in names if isinstance(catalog.get(name), MemoryDataset)]


def _for_worker(catalog: DataCatalog, name: str, run_id: str | None) -> AbstractDataset[Any, Any]:
    """Return a dataset as a worker needs it."""
    dataset: AbstractDataset[Any, Any] = catalog[name]
    if isinstance(dataset, CheckpointStoreDataset):
        dataset.run_id = run_id
    return dataset


def _dispatcher(
    ray: Any,
    groups: Sequence[Group],
    settings: ClusterParameters,
    hooks: HookCaller,
    tasks: Sequence[GroupTask],
) -> Dispatcher:
    """Prepare the tasks for Ray, each with what its nodes ask for."""
    here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
        ray.get_runtime_context().get_node_id(), soft=False
    )
    mailbox = ray.remote(Mailbox).options(num_cpus=0, scheduling_strategy=here).remote()
    environment = _environment(settings)
    work = ray.remote(_run_in_worker)

    def submit(number: int, values: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
        task, names = tasks[number], list(values)
        references = work.options(
            name=groups[number].name,
            num_returns=1 + len(task.kept),
            max_retries=0,  # the dispatcher moves it, and says so
            runtime_env=environment,
            **settings.resources_of(groups[number].tags).options(),
        ).remote(task, mailbox, names, *values.values())
        outcome, *kept = references if task.kept else [references]
        return outcome, dict(zip(task.kept, kept, strict=True))

    return Dispatcher(ray, groups, settings, hooks, submit, mailbox)


def _run_in_worker(
    task: GroupTask, mailbox: Any, names: Sequence[str], *values: Any
) -> Outcome | tuple[Any, ...]:
    """Run a group in a worker of Ray, which has fetched the values by then."""
    import ray  # noqa: PLC0415  an extra

    host_id = ray.get_runtime_context().get_node_id()
    given = dict(zip(names, values, strict=True))
    outcome, kept = run_group(task, given, ActorOutbox(mailbox), host_id)
    return (outcome, *kept) if task.kept else outcome


def _environment(settings: ClusterParameters) -> dict[str, Any]:
    """Return Ray's `runtime_env` in which libraries compute as they do here.

    Ray would set the threads by `num_cpus`. Modules are looked for where this process finds them.
    """
    import torch  # noqa: PLC0415  slow to import; the nodes bring it

    own = [path for path in sys.path if path and not Path(path).is_relative_to(sys.prefix)]
    variables = {
        "OMP_NUM_THREADS": str(settings.threads or torch.get_num_threads()),
        "PYTHONPATH": os.pathsep.join(path for path in own if "lib/python" not in path),
    }
    return {"env_vars": variables}
