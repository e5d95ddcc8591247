"""Exported models, as files in the catalog and in MLflow's registry."""

import importlib.metadata
import io
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stderr
from pathlib import Path, PurePosixPath
from typing import Any

import mlflow
import numpy as np
import onnx
from kedro.io import AbstractDataset, AbstractVersionedDataset
from kedro.io.core import Version, get_filepath_str
from mlflow.models import Model, ModelSignature
from mlflow.pyfunc import PyFuncModel
from mlflow.tracking import MlflowClient
from mlflow.types import Schema, TensorSpec
from packaging.requirements import Requirement

from portrait_pipeline.datasets.mlflow_run import find_run, store_answers
from portrait_pipeline.datasets.registry import describe_version
from portrait_pipeline.errors import PortraitPipelineError, TrackingLostError
from portrait_pipeline.files import whole_folder
from portrait_pipeline.portrayal.exported import DETECTOR_NETWORKS, GENERATOR, ExportedModel

EXAMPLE_FILE = "example.npy"
OLD_FILE_NAMES = {GENERATOR: ("model.onnx",), "output": ("judge.onnx",)}
"""MLflow's name for the generator, and that of MTCNN's output network in earlier exports."""
MAX_NETWORK_BYTES = 2**31 - 1
"""A protocol buffer cannot be larger."""
SERVING_PACKAGES = ("mlflow", "numpy", "onnx", "onnxruntime", "pandas")


def write_export(folder: Path, exported: ExportedModel) -> None:
    """Write the networks and the example into a folder, which appears whole or not at all.

    Raises:
        PortraitPipelineError: if the disk refuses.
    """
    try:
        with whole_folder(folder) as part:
            for name, network in exported.networks.items():
                (part / f"{name}.onnx").write_bytes(network)
            np.save(part / EXAMPLE_FILE, exported.example, allow_pickle=False)
    except OSError as error:
        raise PortraitPipelineError(
            f"could not write {folder} ({error.strerror or error}): free space on that disk, then"
            " run `kedro run --pipeline=export` again"
        ) from error


def read_export(folder: Path) -> ExportedModel:
    """Read what `write_export` wrote, or what MLflow gave back of a registered model.

    Raises:
        PortraitPipelineError: if a file is missing.
    """
    places = (folder, folder / "extra_files")
    try:
        networks = {
            name: _read(places, f"{name}.onnx", *OLD_FILE_NAMES.get(name, ()))
            for name in (GENERATOR, *DETECTOR_NETWORKS)
        }
        example = np.load(io.BytesIO(_read(places, EXAMPLE_FILE)), allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise PortraitPipelineError(
            f"{folder} holds no exported model of this project ({error}), expected one made by"
            " `kedro run --pipeline=export`"
        ) from error
    return ExportedModel(networks, example)


def _read(folders: Sequence[Path], *names: str) -> bytes:
    for folder in folders:
        for name in names:
            path = folder / name
            if path.is_file():
                if path.stat().st_size > MAX_NETWORK_BYTES:
                    raise ValueError(f"{name} is larger than {MAX_NETWORK_BYTES} bytes")
                return path.read_bytes()
    raise FileNotFoundError(f"no {' or '.join(names)}")


class OnnxModelDataset(AbstractVersionedDataset[ExportedModel, ExportedModel]):
    """An exported model in the catalog: a folder with one file per network.

    Example:
        ```yaml
        "{model}_onnx":
          type: portrait_pipeline.datasets.onnx_model.OnnxModelDataset
          filepath: data/06_models/{model}.onnx
          versioned: true
        ```
    """

    def __init__(
        self,
        *,
        filepath: str,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.metadata = metadata
        super().__init__(filepath=PurePosixPath(filepath), version=version)

    def load(self) -> ExportedModel:
        """Read the newest version, or the one asked for."""
        return read_export(Path(get_filepath_str(self._get_load_path(), "file")))

    def save(self, data: ExportedModel) -> None:
        """Write a new version."""
        path = Path(get_filepath_str(self._get_save_path(), "file"))
        write_export(path, data)

    def _exists(self) -> bool:
        return Path(get_filepath_str(self._get_load_path(), "file")).is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": self._version}


PublishedModel = tuple[ExportedModel, str | None]
"""An exported model and MLflow's id of the run that trained it; None where it was not tracked."""


class RegisteredModelDataset(AbstractDataset[PublishedModel, PyFuncModel]):
    """A model in MLflow's registry, kept in the run that trained it.

    Saved with signature, example and locked requirements, so that `mlflow models serve` and
    `mlflow.pyfunc.load_model` need nothing of this project. Loads as that pyfunc model: uint8 face
    crops (batch, size, size, 3) in, uint8 portraits out.

    Args:
        name: Under which it is registered; every save makes a new version.
    """

    def __init__(self, *, name: str, metadata: dict[str, Any] | None = None) -> None:
        self._name = name
        self.metadata = metadata

    def save(self, data: PublishedModel) -> None:
        """Log the model into its run and register a new version.

        Raises:
            PortraitPipelineError: if MLflow's store does not answer.
        """
        try:
            with store_answers():
                self._register(*data)
        except TrackingLostError as error:
            raise PortraitPipelineError(
                f"{error.remedy}, then run `kedro run --pipeline=export` again"
            ) from error

    def _register(self, exported: ExportedModel, tracking_id: str | None) -> None:
        run_id = _known_run(tracking_id)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch, "export")
            write_export(folder, exported)
            extra = [folder / f"{name}.onnx" for name in DETECTOR_NETWORKS]
            with redirect_stderr(io.StringIO()):  # MLflow talks of versions and draws bars
                logged = Model.log(
                    artifact_path=None,
                    name="portrait_model",
                    flavor=mlflow.onnx,
                    run_id=run_id,
                    registered_model_name=self._name,
                    onnx_model=onnx.load_from_string(exported.networks[GENERATOR]),
                    signature=_signature(exported.example),
                    input_example=exported.example,
                    pip_requirements=locked_requirements(SERVING_PACKAGES),
                    extra_files=[str(path) for path in (*extra, folder / EXAMPLE_FILE)],
                    save_as_external_data=False,
                    onnx_execution_providers=["CPUExecutionProvider"],
                )
        version = str(logged.registered_model_version)
        describe_version(MlflowClient(), self._name, version, run_id)

    def load(self) -> PyFuncModel:
        """Load the newest version."""
        model: PyFuncModel = mlflow.pyfunc.load_model(f"models:/{self._name}/latest")
        return model

    def _exists(self) -> bool:
        versions = MlflowClient().search_model_versions(f"name = '{self._name}'", max_results=1)
        return len(versions) > 0

    def _describe(self) -> dict[str, Any]:
        return {"name": self._name}


def _known_run(tracking_id: str | None) -> str | None:
    """Return the run if it still exists; otherwise None, and the open run gets the model."""
    gone = tracking_id is None or find_run(MlflowClient(), tracking_id) is None
    return None if gone else tracking_id


def _signature(example: np.ndarray) -> ModelSignature:
    """Describe what is served: a batch of crops, without a name so that an array can be sent."""
    pixels, shape = np.dtype(np.uint8), (-1, *example.shape[1:])
    return ModelSignature(
        inputs=Schema([TensorSpec(pixels, shape)]),
        outputs=Schema([TensorSpec(pixels, shape, name="portraits")]),
    )


def locked_requirements(packages: Sequence[str]) -> list[str]:
    """Return `name==version` of the packages and of all that they need, as installed here."""
    locked: dict[str, str] = {}
    waiting = list(packages)
    while waiting:
        name = waiting.pop()
        if name.lower() in locked:
            continue
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # needed on other systems only
        locked[name.lower()] = f"{name}=={distribution.version}"
        needed = [Requirement(text) for text in distribution.requires or []]
        waiting += [need.name for need in needed if _applies(need)]
    return sorted(locked.values(), key=str.lower)


def _applies(need: Requirement) -> bool:
    return need.marker is None or need.marker.evaluate({"extra": ""})
