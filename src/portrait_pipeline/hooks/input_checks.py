"""Refuses unknown parameters, missing inputs and too many processes before work starts."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from kedro.config import AbstractConfigLoader
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline

from portrait_pipeline.datasets.checkpoint import CheckpointStoreDataset
from portrait_pipeline.datasets.mlflow_run import MlflowRunDataset
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.hooks.processes import check_launcher, is_rank_zero, num_processes
from portrait_pipeline.hooks.versions import check_load_versions, save_as_newest
from portrait_pipeline.old_names import PARAMETERS
from portrait_pipeline.parameters import (
    Domain,
    PictureSourceParameters,
    SplitParameters,
    TrainingParameters,
)
from portrait_pipeline.sources import check_source
from portrait_pipeline.suggestions import did_you_mean

# These say at the terminal how far a run is; of several processes one is enough.
LOGGERS_OF_A_RUN = tuple(f"portrait_pipeline.{part}" for part in ("cyclegan", "pipelines", "hooks"))

# Names of datasets that nodes are handed and never save, by their endings.
RESERVED_ENDINGS = {
    "_run": "the MLflow run of a model",
    "_training_state": "the store of a training that is under way",
}
DETECTIONS = ("detection_store", "_detections")
INPUT_ONLY = (MlflowRunDataset, CheckpointStoreDataset)


class InputChecks:
    """Checks a run before any work starts, and lets only one process write."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Refuse a parameter that nothing reads.

        Raises:
            PortraitPipelineError: naming the unknown parameter and those that exist, or what a
                parameter in a file of the configuration is called now.
        """
        _check_environment(context.config_loader)
        given = context.config_loader.runtime_params or {}
        context.config_loader.runtime_params = {}
        known = set(context.config_loader["parameters"])
        context.config_loader.runtime_params = given
        _refuse_old_names(known)
        for name in given:
            if name not in known:
                meant = did_you_mean(name, known) or f"expected one of {', '.join(sorted(known))}"
                raise PortraitPipelineError(
                    f"--params {name}=… is not a parameter of this project; {meant}"
                    " (see conf/base/parameters*.yml)"
                )

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Refuse what cannot be done, and keep other ranks from writing and logging.

        Raises:
            PortraitPipelineError: if an input is missing, or several processes would ingest.
        """
        _check_runner(str(run_params.get("runner")))
        _check_outputs(pipeline, catalog)
        check_load_versions(run_params.get("load_versions"), catalog)
        _check_inputs(pipeline, catalog, run_params.get("env"))
        save_as_newest(pipeline, catalog)
        _check_processes(pipeline, run_params.get("env"))
        check_launcher()
        _check_folders(pipeline, catalog)
        _check_device(pipeline, catalog)
        if not is_rank_zero():
            for name in LOGGERS_OF_A_RUN:
                logging.getLogger(name).setLevel(logging.WARNING)
            for name in pipeline.all_outputs():
                catalog[name] = MemoryDataset(copy_mode="assign")
            # brings PyTorch, which the commands on exported models do without
            from portrait_pipeline.datasets.embeddings import (  # noqa: PLC0415
                EmbeddingStoreDataset,
            )

            for name in pipeline.inputs():
                dataset = catalog.get(name)
                if isinstance(dataset, EmbeddingStoreDataset):
                    dataset.read_only = True


def _check_environment(loader: AbstractConfigLoader) -> None:
    folders = [path for path in Path(loader.conf_source).glob("*") if path.is_dir()]
    known = {path.name for path in folders}
    if loader.env and known and loader.env not in known:
        meant = did_you_mean(loader.env, known) or f"expected one of {', '.join(sorted(known))}"
        raise PortraitPipelineError(f"--env={loader.env} is not an environment; {meant}")


def _refuse_old_names(known: set[str]) -> None:
    for old in sorted(known & PARAMETERS.keys()):
        raise PortraitPipelineError(
            f"{old} in your configuration is not read any more, expected {PARAMETERS[old]}:"
            " rename it (see the upgrade notes in CHANGELOG.md)"
        )


def _check_runner(runner: str) -> None:
    if "ParallelRunner" in runner:
        raise PortraitPipelineError(
            "--runner=ParallelRunner cannot run this project, whose nodes share an MLflow run and"
            " stores that are open, expected SequentialRunner or ThreadRunner; nodes use all cores"
            " by themselves"
        )


def _check_outputs(pipeline: Pipeline, catalog: DataCatalog) -> None:
    for name in sorted(pipeline.all_outputs()):
        if isinstance(catalog.get(name), INPUT_ONLY):
            ending = next(each for each in RESERVED_ENDINGS if name.endswith(each))
            raise PortraitPipelineError(
                f"a node saves {name}, but names that end in {ending} stand for"
                f" {RESERVED_ENDINGS[ending]}, expected another name; see conf/base/catalog.yml"
            )


def _check_inputs(pipeline: Pipeline, catalog: DataCatalog, env: str | None) -> None:
    missing = [
        (name, maker)
        for name in sorted(pipeline.inputs())
        if (maker := find_maker(name, pipelines)) is not None and not catalog.exists(name)
    ]
    if missing:
        first = missing[0][1]
        names = [name for name, maker in missing if maker == first]
        verb = "is" if len(names) == 1 else "are"
        raise PortraitPipelineError(
            f"{', '.join(names)} {verb} not there yet: run `{_command(first, env)}` first"
        )


def find_maker(dataset: str, registered: Mapping[str, Pipeline]) -> str | None:
    """Name the smallest registered pipeline that makes a dataset, or None where none does."""
    makers = {
        name: len(pipeline.nodes)
        for name, pipeline in registered.items()
        if dataset in pipeline.all_outputs()
    }
    return min(makers, key=lambda name: makers[name], default=None)


def _check_folders(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Look at the user's folders of both domains before the pictures of one are fetched."""
    for domain in get_args(Domain):
        name = f"params:{domain}s"
        if name in pipeline.inputs() and name in catalog:
            check_source(PictureSourceParameters.model_validate(catalog.load(name)), domain)


def _check_device(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Refuse trainings that would take weeks here before pictures are fetched for them."""
    needed = ("params:training", "params:splits")
    trains = any(node.name.endswith(".train_model") for node in pipeline.nodes)
    if not trains or any(name not in catalog for name in needed):
        return
    training, splits = (catalog.load(name) for name in needed)
    if dict(training).get("allow_cpu"):
        return
    # brings PyTorch, which the commands on exported models do without
    from portrait_pipeline.cyclegan.monitoring import refuse_slow_training  # noqa: PLC0415

    settings = TrainingParameters.model_validate(training)
    num_train = SplitParameters.model_validate(splits).num_train
    refuse_slow_training(settings, num_train * settings.num_epochs // settings.batch_size)


def _check_processes(pipeline: Pipeline, env: str | None) -> None:
    count = num_processes()
    if count > 1 and any(name.endswith(DETECTIONS) for name in pipeline.inputs()):
        raise PortraitPipelineError(
            f"{count} processes would fetch and crop the same pictures: run"
            f" `{_command('ingest', env)}` first, then torchrun with a pipeline that trains"
        )


def _command(pipeline: str, env: str | None) -> str:
    return f"kedro run{f' --env={env}' if env else ''} --pipeline={pipeline}"
