"""Where MLflow keeps the runs of one test."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import mlflow
from mlflow.tracking import MlflowClient

VARIABLE = "MLFLOW_TRACKING_URI"


@cache
def _empty_store() -> bytes:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        file = Path(folder, "mlflow.db")
        MlflowClient(f"sqlite:///{file}").search_experiments()
        return file.read_bytes()


def make_store(file: Path) -> str:
    """Write MLflow's database without runs, whose tables MLflow takes seconds to make.

    Returns:
        Its address.
    """
    file.write_bytes(_empty_store())
    return f"sqlite:///{file}"


@contextmanager
def tracking_at(uri: str) -> Iterator[None]:
    """Keep runs at an address, and leave neither a run nor the address behind.

    MLflow writes the address into the environment too, where processes of later tests find it.
    """
    given = os.environ.get(VARIABLE)
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        while mlflow.active_run() is not None:
            mlflow.end_run()
        mlflow.set_tracking_uri(given)  # type: ignore[arg-type]  None takes it back
