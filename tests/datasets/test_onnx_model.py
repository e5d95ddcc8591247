"""Exported models in the catalog: read whole, or refused in one sentence."""

import io
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import pytest
from kedro.io import DatasetError
from mlflow.models import Model
from mlflow.tracking import MlflowClient
from support.mlflow_store import make_store, tracking_at
from support.tiny_model import tiny_export

from portrait_pipeline.datasets import onnx_model
from portrait_pipeline.datasets.mlflow_run import MlflowRunTracker
from portrait_pipeline.datasets.onnx_model import (
    RegisteredModelDataset,
    read_export,
    write_export,
)
from portrait_pipeline.errors import PortraitPipelineError


def test_an_export_comes_back(tmp_path: Path) -> None:
    """What was written is read, under the names of MLflow and of earlier exports too."""
    export = tiny_export()
    folder = tmp_path / "model.onnx"
    write_export(folder, export)
    for new, old in [("output", "judge"), ("generator", "model")]:
        assert read_export(folder).networks == export.networks
        (folder / f"{new}.onnx").rename(folder / f"{old}.onnx")
    assert read_export(folder).networks == export.networks


def claims_much() -> bytes:
    """A NumPy file of a few bytes whose header says that it is huge."""
    file = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (2**46,)}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue()


def pickled() -> bytes:
    """A NumPy file that holds a Python object."""
    file = io.BytesIO()
    np.save(file, np.array([{}]), allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize("content", [b"", b"junk", claims_much(), pickled()])
def test_a_broken_example_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    """Whatever lies in place of the example, nothing is unpickled and no memory is taken."""
    write_export(tmp_path / "model.onnx", tiny_export())
    (tmp_path / "model.onnx" / "example.npy").write_bytes(content)
    with pytest.raises(PortraitPipelineError, match="holds no exported model"):
        read_export(tmp_path / "model.onnx")


def test_a_file_that_can_be_no_network_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file larger than a network can be is refused by its size."""
    monkeypatch.setattr(onnx_model, "MAX_NETWORK_BYTES", 1000)
    write_export(tmp_path / "model.onnx", tiny_export())
    with pytest.raises(PortraitPipelineError, match="larger than 1000 bytes"):
        read_export(tmp_path / "model.onnx")


def deleted() -> str:
    run_id = MlflowRunTracker("baseline").start("baseline", {}, {})
    MlflowClient().delete_run(run_id)
    return run_id


@pytest.mark.parametrize("gone", [lambda: None, lambda: "0" * 32, deleted])
def test_a_model_whose_run_is_gone_is_registered_in_the_open_one(
    gone: Callable[[], str | None], tmp_path: Path
) -> None:
    """Never tracked, of another store, or deleted in the UI: the pipeline's run takes the model."""
    with tracking_at(make_store(tmp_path / "mlflow.db")):
        experiment = mlflow.create_experiment("tested", (tmp_path / "artifacts").as_uri())
        with mlflow.start_run(experiment_id=experiment) as run:
            RegisteredModelDataset(name="tested").save((tiny_export(), gone()))
        (version,) = MlflowClient().search_model_versions("name = 'tested'")
        assert version.run_id == run.info.run_id


def test_a_registry_that_does_not_answer_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the store, and the command that registers the model later."""

    def fail(**_: object) -> None:
        raise mlflow.MlflowException("no route to host")

    monkeypatch.setattr(Model, "log", fail)
    with pytest.raises(DatasetError) as caught:
        RegisteredModelDataset(name="tested").save((tiny_export(), None))
    assert isinstance(caught.value.__cause__, PortraitPipelineError)
    assert "no route to host" in str(caught.value.__cause__)
    assert "kedro run --pipeline=export" in str(caught.value.__cause__)
