"""Finds trained models by name: in the catalog, an MLflow run or the model registry."""

import io
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import mlflow
from kedro.io import AbstractVersionedDataset, CatalogProtocol
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from portrait_pipeline.datasets.onnx_model import read_export
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.portrayal.exported import ExportedModel, exported_model
from portrait_pipeline.portrayal.portrayer import DETECTION_SIZE_PX, PortraitModel
from portrait_pipeline.portrayal.shipped import (
    ShippedModelError,
    read_shipped,
    read_shipped_card,
)

Runtime = Literal["auto", "torch", "onnx"]

CATALOG_MODELS = ("proposed", "baseline")
DEFAULT_MODEL = "proposed"
PRETRAINED = "pretrained"
MAX_LISTED_RUNS = 30
CHECKPOINT_FOLDER = "checkpoint"
logger = logging.getLogger(__name__)

RUN_ID = re.compile(r"[0-9a-f]{32}")
CATALOG_NAME = re.compile(r"[a-z0-9_]+")


class TrainedModels:
    """Finds and loads trained models; implements the `ModelShelf` of the web page.

    Args:
        catalog: Kedro's catalog of one environment and workspace.
        experiment: MLflow's experiment of that workspace.
        runtime: `torch`, `onnx`, or `auto`: ONNX where a model was exported after it was last
            trained, PyTorch otherwise.
        averaged: Take the running average of a checkpoint's generator.
        hint: What to do when nothing is trained.
        detection_size_px: Photos are searched for faces in this size, or in that of the training
            where it is larger.
    """

    def __init__(
        self,
        catalog: CatalogProtocol[Any, Any],
        experiment: str,
        runtime: Runtime = "auto",
        averaged: bool = True,
        hint: str = "run `make demo` first",
        detection_size_px: int = DETECTION_SIZE_PX,
    ) -> None:
        self._catalog = catalog
        self._experiment = experiment
        self._runtime = runtime
        self._averaged = averaged
        self._hint = hint
        self._detection_size_px = detection_size_px

    def names(self) -> list[tuple[str, str]]:
        """Return label and name of every model: the catalog's, MLflow's runs, the package's."""
        trained = [(name, name) for name in CATALOG_MODELS if self._is_in_catalog(name)]
        tracked = [(_label(run), run.info.run_id) for run in self._tracked_runs()]
        return trained + tracked + _pretrained()

    def default(self) -> str:
        """Name the model that is used where none is asked for, and say so if it is not trained."""
        if self._is_in_catalog(DEFAULT_MODEL) or not _pretrained():
            return DEFAULT_MODEL
        logger.info("no model is trained here, so that of the package paints; %s", self._hint)
        return PRETRAINED

    def load(self, name: str) -> PortraitModel:
        """Make a model ready to use.

        Args:
            name: `baseline`, `proposed` or another model of the catalog, `pretrained` for the one
                that comes with the package, the id of an MLflow run with a checkpoint, or a
                registered model as `name`, `name/version` or `name@alias`.

        Raises:
            PortraitPipelineError: if there is no such model, with the command that trains it.
        """
        if name == PRETRAINED:
            return read_shipped().open()
        if CATALOG_NAME.fullmatch(name) and self._is_in_catalog(name):
            return self._from_catalog(name)
        if RUN_ID.fullmatch(name):
            return self._from_run(name)
        if "/" in name or not CATALOG_NAME.fullmatch(name) or name not in CATALOG_MODELS:
            return self._from_registry(name)
        raise PortraitPipelineError(f"the model {name} is not trained yet: {self._hint}")

    def _is_in_catalog(self, name: str) -> bool:
        return any(self._catalog.exists(f"{name}_{kind}") for kind in ("onnx", "checkpoint"))

    def _from_catalog(self, name: str) -> PortraitModel:
        if self._runs_exported(name):
            return self._from_export(self._catalog.load(f"{name}_onnx"))
        if not self._catalog.exists(f"{name}_checkpoint"):
            raise PortraitPipelineError(
                f"the model {name} has no checkpoint here, only an exported model: use it with"
                " --runtime onnx"
            )
        return self._from_checkpoint(self._catalog.load(f"{name}_checkpoint"))

    def _runs_exported(self, name: str) -> bool:
        exported = self._catalog.exists(f"{name}_onnx")
        match self._runtime:
            case "torch":
                return False
            case "onnx":
                if not exported:
                    raise PortraitPipelineError(
                        f"the model {name} is not exported yet: run"
                        " `kedro run --pipeline=export` first, or use --runtime torch"
                    )
                return True
            case "auto":
                return exported and self._is_fresh(name)

    def _is_fresh(self, name: str) -> bool:
        """Tell by the catalog's versions whether a model was exported after it was trained."""
        if not self._catalog.exists(f"{name}_checkpoint"):
            return True
        versions = [self._version(f"{name}_{kind}") for kind in ("checkpoint", "onnx")]
        return versions[0] <= versions[1]

    def _version(self, name: str) -> str:
        dataset = self._catalog.get(name)
        if not isinstance(dataset, AbstractVersionedDataset):
            return ""
        return dataset.resolve_load_version() or ""

    def _from_checkpoint(self, checkpoint: object) -> PortraitModel:
        # imported here, so that an exported model can be used without PyTorch
        from portrait_pipeline.portrayal.torch_model import checkpoint_model  # noqa: PLC0415

        if not isinstance(checkpoint, dict):
            raise TypeError(f"a checkpoint is a dictionary, not {type(checkpoint)}")
        return checkpoint_model(
            checkpoint, self._averaged, detection_size_px=self._detection_size_px
        )

    def _from_export(self, exported: ExportedModel) -> PortraitModel:
        return exported_model(exported, detection_size_px=self._detection_size_px)

    def _from_run(self, run_id: str) -> PortraitModel:
        from portrait_pipeline.cyclegan.checkpoint_files import read_checkpoint  # noqa: PLC0415

        if self._runtime == "onnx":
            raise PortraitPipelineError(
                f"the MLflow run {run_id} keeps a checkpoint, which needs --runtime torch; an"
                " exported model is registered by `kedro run --pipeline=export`"
            )
        what = f"the MLflow run {run_id}"
        with _artifacts(f"runs:/{run_id}/{CHECKPOINT_FOLDER}", what) as folder:
            paths = sorted(folder.rglob("*.pt"))
            if not paths:
                raise PortraitPipelineError(
                    f"{what} keeps no checkpoint, expected the run of a training; `make ui` shows"
                    " which there are"
                )
            return self._from_checkpoint(read_checkpoint(paths[0]))

    def _from_registry(self, name: str) -> PortraitModel:
        """Load a registered model, which is always an exported one."""
        address = name.removeprefix("models:/")
        address = address if {"/", "@"} & set(address) else f"{address}/latest"
        with _artifacts(f"models:/{address}", f"the registered model {name}") as folder:
            return self._from_export(read_export(folder))

    def _tracked_runs(self) -> Sequence[Run]:
        experiment = mlflow.get_experiment_by_name(self._experiment)
        if experiment is None:
            return []
        client = MlflowClient()
        runs = client.search_runs(
            [experiment.experiment_id], "tags.model != ''", max_results=MAX_LISTED_RUNS
        )
        return [run for run in runs if client.list_artifacts(run.info.run_id, CHECKPOINT_FOLDER)]


def _pretrained() -> list[tuple[str, str]]:
    """Offer the model of the package where it is whole."""
    try:
        return [(f"{PRETRAINED}: {read_shipped_card().title}", PRETRAINED)]
    except ShippedModelError:
        return []


def _label(run: Run) -> str:
    settings, words = run.data.params, [run.info.run_name]
    if settings.get("perceptual_gradient_share", "None") != "None":
        words.append(f"{float(settings['perceptual_gradient_share']):.0%} of the gradient")
    elif "lambda_perceptual" in settings:
        words.append(f"λ_p {float(settings['lambda_perceptual']):g}")
    if "num_epochs" in settings:
        words.append(f"{settings['num_epochs']} epochs")
    return f"{', '.join(words)} (run {run.info.run_id[:8]})"


@contextmanager
def _artifacts(address: str, what: str) -> Iterator[Path]:
    """Download files from MLflow into a temporary folder."""
    with TemporaryDirectory() as scratch:
        try:
            with redirect_stderr(io.StringIO()):  # MLflow draws bars
                folder = mlflow.artifacts.download_artifacts(address, dst_path=scratch)
            yield Path(folder)
        except (mlflow.MlflowException, OSError) as error:
            raise PortraitPipelineError(
                f"{what} is not to be found ({error}); expected baseline, proposed, the id of an"
                " MLflow run with a checkpoint, or a registered model; `make ui` shows them"
            ) from error
