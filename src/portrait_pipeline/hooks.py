"""What happens around the nodes: checks before any work, typed tracking."""

import logging
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook
from mlflow.tracking import MlflowClient
from pydantic import BaseModel

from portrait_pipeline.datasets.mlflow_run import flatten, library_versions
from portrait_pipeline.datasets.places import location
from portrait_pipeline.errors import PortraitPipelineError, TrainingInterruptedError

logger = logging.getLogger(__name__)

# Which pipeline makes a dataset that another one needs.
MAKERS = {
    "photo_faces": "ingest",
    "painting_faces": "ingest",
    "twin_faces": "ingest",
    "splits": "ingest",
    "ingestion_audit": "ingest",
    "ingestion_summary": "ingest",
    "baseline_checkpoint": "train_baseline",
    "baseline_history": "train_baseline",
    "proposed_checkpoint": "train_proposed",
    "proposed_history": "train_proposed",
    "lambda_table": "tune",
    "chosen_lambda": "tune",
    "comparison": "evaluate",
    "checkpoint_spread": "evaluate",
    "conclusion": "evaluate",
    "run_facts": "evaluate",
    "baseline_portraits": "evaluate",
    "proposed_portraits": "evaluate",
    "baseline_scores": "evaluate",
    "proposed_scores": "evaluate",
}

KEPT_WITH_THE_PIPELINE = (
    "comparison",
    "checkpoint_spread",
    "lambda_table",
    "figure_1",
    "report",
)

# What says at the terminal how far a run is: of several processes, one is enough.
TALK_OF_A_RUN = tuple(f"portrait_pipeline.{part}" for part in ("cyclegan", "pipelines", "stages"))


def is_rank_zero() -> bool:
    """Tell whether this process may write: the only one, or the first of several."""
    return int(os.environ.get("RANK", "0")) == 0


class InputChecks:
    """Says what is wrong before any work starts, and lets one process alone write."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Refuse a parameter that nothing reads.

        Raises:
            PortraitPipelineError: naming the unknown parameter and those that exist.
        """
        given = context.config_loader.runtime_params or {}
        context.config_loader.runtime_params = {}
        known = set(context.config_loader["parameters"])
        context.config_loader.runtime_params = given
        for name in given:
            if name not in known:
                raise PortraitPipelineError(
                    f"--params {name}=… is not a parameter of this project; expected one of"
                    f" {', '.join(sorted(known))} (see conf/base/parameters*.yml)"
                )

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Refuse what cannot be done; keep other ranks from writing and talking.

        Raises:
            PortraitPipelineError: if an input is missing, or several processes would ingest.
        """
        _check_inputs(pipeline, catalog, run_params.get("env"))
        _check_processes(pipeline, run_params.get("env"))
        if not is_rank_zero():
            for name in TALK_OF_A_RUN:
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


def _check_inputs(pipeline: Pipeline, catalog: DataCatalog, env: str | None) -> None:
    for name in sorted(pipeline.inputs()):
        if name in MAKERS and not catalog.exists(name):
            raise PortraitPipelineError(
                f"{name} is not there yet: run `{_command(MAKERS[name], env)}` first"
            )


def _check_processes(pipeline: Pipeline, env: str | None) -> None:
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count > 1 and "detection_store" in pipeline.inputs():
        raise PortraitPipelineError(
            f"{count} processes would fetch and crop the same pictures: run"
            f" `{_command('ingest', env)}` first, then torchrun with a pipeline that trains"
        )


def _command(pipeline: str, env: str | None) -> str:
    return f"kedro run{f' --env={env}' if env else ''} --pipeline={pipeline}"


class TypedMlflowHook(MlflowHook):  # type: ignore[misc]  # kedro-mlflow ships no types
    """kedro-mlflow's hook, which logs typed parameters one by one instead of as one string."""

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Open the pipeline's run and tag it with the versions that decide its results."""
        if not is_rank_zero():
            return
        self._catalog = catalog
        super().before_pipeline_run(run_params, pipeline, catalog)
        mlflow.set_tags({f"version.{key}": value for key, value in library_versions().items()})

    @hook_impl
    def before_node_run(
        self, node: Node, catalog: DataCatalog, inputs: dict[str, Any], is_async: bool
    ) -> None:
        """Log the node's parameters."""
        if is_rank_zero():
            super().before_node_run(node, catalog, inputs, is_async)

    @hook_impl
    def after_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Close the pipeline's run."""
        if is_rank_zero():
            super().after_pipeline_run(run_params, pipeline, catalog)

    @hook_impl
    def on_pipeline_error(
        self,
        error: Exception,
        run_params: dict[str, Any],
        pipeline: Pipeline,
        catalog: DataCatalog,
    ) -> None:
        """Close the pipeline's run as failed, or as killed; why it ends matters more than this."""
        if not is_rank_zero():
            return
        try:
            super().on_pipeline_error(error, run_params, pipeline, catalog)
            if isinstance(error, TrainingInterruptedError):
                MlflowClient().set_terminated(self.run_id, "KILLED")
        except mlflow.MlflowException as unheard:
            logger.warning("the pipeline's MLflow run could not be closed: %s", unheard)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Keep checkpoints with their model's run; tables, plots and pages with the pipeline's."""
        if not is_rank_zero():
            return
        path = str(location(self._catalog, dataset_name))
        if dataset_name.endswith("_checkpoint") and data["tracking_id"]:
            _keep_model(data, path)
        elif dataset_name in KEPT_WITH_THE_PIPELINE or dataset_name.endswith("_plot"):
            mlflow.log_artifact(path, "report")

    def _log_param(self, name: str, value: Any) -> None:
        if not isinstance(value, BaseModel):
            super()._log_param(name, value)
            return
        for key, setting in flatten(value.model_dump()).items():
            super()._log_param(f"{name}.{key}", setting)


def _keep_model(checkpoint: dict[str, Any], path: str) -> None:
    """Log the checkpoint, and beside it what using the model takes: a twentieth of its size."""
    client, run_id = MlflowClient(), checkpoint["tracking_id"]
    client.log_artifact(run_id, path, "checkpoint")
    model = {key: checkpoint[key] for key in ("format", "model", "parameters", "preparation")}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "generators.pt"
        # imported here, so that an exported model can be used without PyTorch
        import torch  # noqa: PLC0415

        torch.save({**model, "averaged_generators": checkpoint["averaged_generators"]}, file)
        client.log_artifact(run_id, str(file), "model")
