"""Where MLflow keeps the runs of one test."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import mlflow

VARIABLE = "MLFLOW_TRACKING_URI"


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
