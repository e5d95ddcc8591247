"""The pipeline's MLflow run: typed parameters, versions, results, and how the run ended."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook
from mlflow.tracking import MlflowClient
from pydantic import BaseModel

from portrait_pipeline.datasets.mlflow_run import flatten, library_versions
from portrait_pipeline.datasets.places import location
from portrait_pipeline.errors import TrainingInterruptedError
from portrait_pipeline.hooks.processes import is_rank_zero

logger = logging.getLogger(__name__)

KEPT_WITH_THE_PIPELINE = (
    "comparison",
    "checkpoint_spread",
    "lambda_table",
    "figure_1",
    "report",
)


class TrackingHook(MlflowHook):  # type: ignore[misc]  # kedro-mlflow ships no types
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
