"""With a real MLflow server on loopback: it keeps the artifacts, and its death is survived."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import mlflow
import pytest
import requests
from mlflow.tracking import MlflowClient
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from portrait_pipeline.datasets.mlflow_run import MlflowRunTracker
from portrait_pipeline.errors import TrackingLostError
from portrait_pipeline.hooks.tracking import only_reported


def kill(server: subprocess.Popen[bytes]) -> None:
    """End a server and its workers, which are a group of processes of their own."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """A server that serves artifacts, as it is started on another machine."""
    for name in ("MAX_RETRIES", "BACKOFF_FACTOR"):  # seconds less; the test waits for no answer
        monkeypatch.setenv(f"MLFLOW_HTTP_REQUEST_{name}", "0")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host=127.0.0.1", f"--port={port}"]
    command += [f"--backend-store-uri=sqlite:///{tmp_path}/server.db", "--serve-artifacts"]
    command += [f"--artifacts-destination={tmp_path}/kept", "--workers=1"]
    before = mlflow.get_tracking_uri()
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True) as process:
        try:
            with requests.Session() as session:
                patient = Retry(total=None, connect=200, backoff_factor=0.1, backoff_max=0.5)
                session.mount("http://", HTTPAdapter(max_retries=patient))
                session.get(f"http://127.0.0.1:{port}/health", timeout=60).raise_for_status()
            mlflow.set_tracking_uri(f"http://127.0.0.1:{port}")
            yield process
        finally:
            kill(process)
            mlflow.set_tracking_uri(before)


def test_a_server_keeps_artifacts_and_its_end_stops_nothing(
    server: subprocess.Popen[bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Files arrive at the server and nowhere else; afterwards one sentence for each attempt."""
    tracker = MlflowRunTracker("baseline")
    run_id = tracker.start("baseline", {"lambda_perceptual": 0.0}, {})
    (tmp_path / "table.csv").write_text("a\n1\n", encoding="utf-8")
    tracker.log_file(str(tmp_path / "table.csv"), "report")
    assert [path.name for path in (tmp_path / "kept").rglob("*.csv")] == ["table.csv"]
    assert MlflowClient().list_artifacts(run_id, "report")
    kill(server)
    with pytest.raises(TrackingLostError, match=r"http://127\.0\.0\.1"):
        tracker.log_metrics({"generator_loss": 1.0}, 1)
    tracker.attach(run_id)
    tracker.log_metrics({"test_ssim": 1.0}, 1)
    with only_reported("the report"):
        mlflow.log_artifact(str(tmp_path / "table.csv"), "report")
    assert "the scores of baseline are in the tables" in caplog.text
    assert "the report in MLflow is left out" in caplog.text
