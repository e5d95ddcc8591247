"""What the pipeline's own MLflow run records."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import mlflow
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import node, pipeline
from mlflow.exceptions import MlflowException
from support.mlflow_store import make_store, tracking_at

from portrait_pipeline.datasets.run_description import digest_of
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.hooks.tracking import TrackingHook, _needed_at_the_start


def test_hooks_load_without_pytorch() -> None:
    """Kedro imports settings and hooks for every command; exported models need no PyTorch."""
    check = (
        "import importlib, pkgutil, sys, portrait_pipeline.settings\n"
        "from portrait_pipeline import hooks\n"
        "for each in pkgutil.iter_modules(hooks.__path__, hooks.__name__ + '.'):\n"
        "    importlib.import_module(each.name)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("num_nodes", [0, 1, 3])
def test_the_run_is_closed_however_many_nodes_ran(num_nodes: int, tmp_path: Path) -> None:
    """What is run next in the same process has a run of its own."""
    hook, catalog = TrackingHook(), DataCatalog({})
    hook._is_mlflow_enabled, hook._already_active_mlflow, hook.flatten = True, False, False
    hook.mlflow_config = SimpleNamespace(tracking=SimpleNamespace(run=SimpleNamespace(nested=True)))
    with tracking_at(make_store(tmp_path / "mlflow.db")):
        hook.run_id = mlflow.start_run().info.run_id
        for index in range(num_nodes):
            each = node(sorted, "given", f"made_{index}", name=f"node_{index}")
            hook.before_node_run(each, catalog, {"params:index": index}, False)
        hook.after_pipeline_run({}, pipeline([]), catalog)
        assert mlflow.active_run() is None


def test_the_pictures_are_noted_once_wherever_their_table_was_made(tmp_path: Path) -> None:
    """A table that a worker saved is read from the catalog; loading it again notes nothing more."""
    table = pd.DataFrame({"name": ["a.jpg"], "split": ["train"]})
    hook = TrackingHook()
    hook._catalog = DataCatalog({"splits": MemoryDataset(table)})
    with tracking_at(make_store(tmp_path / "mlflow.db")):
        with mlflow.start_run(experiment_id="0") as run:
            hook.after_dataset_saved("splits", None)
            hook.after_dataset_loaded("splits", table.assign(name="b.jpg"))
        (noted,) = mlflow.get_run(run.info.run_id).inputs.dataset_inputs
        assert (noted.dataset.name, noted.dataset.digest) == ("splits", digest_of(table))


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (MlflowException("Run with id=0123 not found"), "unset MLFLOW_RUN_ID"),
        (MlflowException("unsupported URI 'foo://x'"), "name another in MLFLOW_TRACKING_URI"),
        (ModuleNotFoundError("No module named 'psycopg'"), "name another in MLFLOW_TRACKING_URI"),
        (OSError("database is locked"), "end the program"),
    ],
)
def test_a_store_that_cannot_be_opened_is_one_sentence(
    error: Exception, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says why, and what helps: another store, no former run, or the other program's end."""
    monkeypatch.setenv("MLFLOW_RUN_ID", "0123")
    with pytest.raises(PortraitPipelineError, match=hint) as caught, _needed_at_the_start():
        raise error
    assert str(error) in str(caught.value)
