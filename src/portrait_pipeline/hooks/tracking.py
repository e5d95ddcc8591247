"""The pipeline's MLflow run: typed parameters, versions, results, and how the run ended."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook
from mlflow.tracking import MlflowClient
from pydantic import BaseModel

from portrait_pipeline.datasets.checkpoint import CheckpointDataset
from portrait_pipeline.datasets.environment import git_commit, git_revision
from portrait_pipeline.datasets.mlflow_run import (
    SOURCE,
    find_run,
    flatten,
    library_versions,
    store_answers,
    written_setting,
)
from portrait_pipeline.datasets.places import location
from portrait_pipeline.datasets.run_description import (
    COMMAND,
    NOTE,
    dataset_input,
    describe_pipeline,
    digest_of,
)
from portrait_pipeline.datasets.run_owner import OWNER_TAG, close_lost_runs, owner
from portrait_pipeline.errors import (
    PortraitPipelineError,
    TrackingLostError,
    TrainingInterruptedError,
)
from portrait_pipeline.hooks.commands import command_of
from portrait_pipeline.hooks.experiment import ProjectMlflow, save_view
from portrait_pipeline.hooks.processes import is_rank_zero
from portrait_pipeline.hooks.store import register_resolvers, settle_store
from portrait_pipeline.masking import mask_values

logger = logging.getLogger(__name__)

KEPT_WITH_THE_PIPELINE = (
    "comparison",
    "checkpoint_spread",
    "lambda_table",
    "figure_1",
    "report",
)

# Tables that name every picture that a pipeline works with, in the order of their making.
PICTURE_TABLES = ("ingestion_audit", "splits", "portrait_table")


@contextmanager
def only_reported(what: str) -> Iterator[None]:
    """Continue without MLflow where it would only show what the catalog keeps anyway."""
    try:
        with store_answers():
            yield
    except TrackingLostError as error:
        logger.warning("%s; %s in MLflow is left out", error.remedy, what)


@contextmanager
def _needed_at_the_start() -> Iterator[None]:
    """Refuse to begin without MLflow's store: nothing is lost yet."""
    try:
        with store_answers():
            yield
    except TrackingLostError as error:
        raise PortraitPipelineError(
            f"{error.remedy}{_hint(error.remedy)}, then run the command again"
        ) from error


def _hint(remedy: str) -> str:
    if "locked" in remedy:
        return "; end the program that has it open"
    given = os.environ.get("MLFLOW_RUN_ID")
    if given and given in remedy:
        return "; unset MLFLOW_RUN_ID, which names a run that this store does not have"
    return ", or name another in MLFLOW_TRACKING_URI"


class TrackingHook(MlflowHook):  # type: ignore[misc]  # kedro-mlflow ships no types
    """kedro-mlflow's hook, for typed parameters, several processes and a store that may fail.

    Nothing that MLflow is only told stops a run that has begun.
    """

    run_id: Any

    def __init__(self) -> None:
        super().__init__()
        self._noted: set[tuple[str, str]] = set()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Open the store of this project.

        Raises:
            PortraitPipelineError: if it does not answer.
        """
        self._project_path = Path(context.project_path)
        register_resolvers(self._project_path)
        settle_store(context)
        with _needed_at_the_start():
            if mlflow.active_run() is not None:  # opened by what started this command
                super().after_context_created(context)
                return
            self._already_active_mlflow = False
            self.mlflow_config = ProjectMlflow.model_validate(context.config_loader["mlflow"])
            self.mlflow_config.setup(context)
            context.__setattr__("mlflow", self.mlflow_config)  # the class is frozen

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Open the pipeline's run and tag it with what decides its results.

        Raises:
            PortraitPipelineError: if the store does not answer.
        """
        if not is_rank_zero():
            return
        self._catalog = catalog
        with _needed_at_the_start():
            self._open_experiment()
            for name in self._close_lost_runs():
                logger.info("the MLflow run %s, whose process was killed, is closed", name)
            super().before_pipeline_run(mask_values(run_params), pipeline, catalog)
            mlflow.set_tags(self._tags(run_params))

    def _open_experiment(self) -> None:
        if isinstance(self.mlflow_config, ProjectMlflow):
            self.mlflow_config.open_experiment()

    def _close_lost_runs(self) -> list[str]:
        client, name = MlflowClient(), self.mlflow_config.tracking.experiment.name
        experiment = client.get_experiment_by_name(name)
        return [] if experiment is None else close_lost_runs(client, experiment.experiment_id)

    def _tags(self, run_params: dict[str, Any]) -> dict[str, str]:
        versions = {f"version.{key}": value for key, value in library_versions().items()}
        revision, (command, _) = git_revision(self._project_path), command_of(run_params)
        return {
            **versions,
            **({"mlflow.source.git.commit": revision} if revision else {}),
            "git_commit": git_commit(self._project_path),
            COMMAND: command,
            SOURCE: command,
            NOTE: describe_pipeline(command),
            OWNER_TAG: owner(),
        }

    @hook_impl
    def before_node_run(
        self, node: Node, catalog: DataCatalog, inputs: dict[str, Any], is_async: bool
    ) -> None:
        """Log the node's parameters."""
        if not is_rank_zero():
            return
        run_id, active = self.run_id, mlflow.active_run()
        if active is not None and active.info.run_id == run_id:
            self.run_id = None  # kedro-mlflow would open it once more, and close it once only
        try:
            with only_reported(f"parameters of {node.name}"):
                super().before_node_run(node, catalog, inputs, is_async)
        finally:
            self.run_id = run_id

    @hook_impl
    def after_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Close the pipeline's run."""
        if is_rank_zero():
            with only_reported("the end of the run"):
                self._save_view()
                super().after_pipeline_run(run_params, pipeline, catalog)

    def _save_view(self) -> None:
        run = mlflow.active_run()
        if run is not None:
            save_view(MlflowClient(), run.info.experiment_id)

    @hook_impl
    def on_pipeline_error(
        self,
        error: Exception,
        run_params: dict[str, Any],
        pipeline: Pipeline,
        catalog: DataCatalog,
    ) -> None:
        """Close the pipeline's run as failed or killed; MLflow's own errors must not hide why."""
        if not is_rank_zero():
            return
        with only_reported("the end of the run"):
            super().on_pipeline_error(error, run_params, pipeline, catalog)
            if isinstance(error, TrainingInterruptedError):
                MlflowClient().set_terminated(self.run_id, "KILLED")

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str, data: Any) -> None:
        """Say in the pipeline's run which pictures it works with."""
        self._note_pictures(dataset_name, data)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Keep checkpoints with their model's run; tables, plots and pages with the pipeline's."""
        if not is_rank_zero():
            return
        self._note_pictures(dataset_name, data)
        path = location(self._catalog, dataset_name)
        if path is None:
            return
        with only_reported(dataset_name):
            if isinstance(self._catalog.get(dataset_name), CheckpointDataset):
                _keep_model(self._saved(dataset_name, data), str(path))
            elif dataset_name in KEPT_WITH_THE_PIPELINE or dataset_name.endswith("_plot"):
                mlflow.log_artifact(str(path), "report")

    def _note_pictures(self, dataset_name: str, data: Any) -> None:
        """Name the pictures, with the hash of their table, once for each table."""
        run = mlflow.active_run() if is_rank_zero() and dataset_name in PICTURE_TABLES else None
        if run is None or (run.info.run_id, dataset_name) in self._noted:
            return
        with only_reported(f"the pictures of {dataset_name}"):
            table = self._saved(dataset_name, data)
            named = dataset_input(dataset_name, digest_of(table), "pictures")
            MlflowClient().log_inputs(run.info.run_id, [named])
            self._noted.add((run.info.run_id, dataset_name))

    def _saved(self, dataset_name: str, data: Any) -> Any:
        """Return what was saved: a worker's results lie in the catalog, and are not sent here."""
        return self._catalog.load(dataset_name) if data is None else data

    def _log_param(self, name: str, value: Any) -> None:
        given = value.model_dump() if isinstance(value, BaseModel) else value
        nested = isinstance(given, dict)
        for key, setting in flatten({name: given} if nested else {name: value}).items():
            super()._log_param(key, written_setting(mask_values(setting, key)))


def close_run_as_killed() -> None:
    """Close the pipeline's run when a signal ends the command outside of a training."""
    with only_reported("the end of the run"):
        while mlflow.active_run() is not None:
            mlflow.end_run("KILLED")


def _keep_model(checkpoint: dict[str, Any], path: str) -> None:
    """Log the checkpoint and, at a twentieth of its size, the generators that the model needs."""
    client, run_id = MlflowClient(), checkpoint["tracking_id"]
    if run_id is None or find_run(client, run_id) is None:
        return
    client.log_artifact(run_id, path, "checkpoint")
    model = {key: checkpoint[key] for key in ("format", "model", "parameters", "preparation")}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "generators.pt"
        # imported here, so that an exported model can be used without PyTorch
        import torch  # noqa: PLC0415

        torch.save({**model, "averaged_generators": checkpoint["averaged_generators"]}, file)
        client.log_artifact(run_id, str(file), "model")
