"""With a real MLflow server on loopback: it keeps the artifacts, and its death is survived."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow.tracking import MlflowClient
from support.mlflow_server import kill, mlflow_server, serving
from support.mlflow_store import make_store, tracking_at
from support.ports import free_port

from portrait_pipeline.datasets.mlflow_run import MlflowRunTracker
from portrait_pipeline.errors import TrackingLostError
from portrait_pipeline.hooks.tracking import only_reported


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """A server that serves artifacts, as it is started on another machine."""
    for name in ("MAX_RETRIES", "BACKOFF_FACTOR"):  # seconds less; the test waits for no answer
        monkeypatch.setenv(f"MLFLOW_HTTP_REQUEST_{name}", "0")
    monkeypatch.setenv("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "made by the server")
    port = free_port()
    command = mlflow_server(port, make_store(tmp_path / "server.db"), tmp_path / "kept")
    with serving(command, port) as process, tracking_at(f"http://127.0.0.1:{port}"):
        yield process


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


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("import sys; sys.exit('the port is taken')", "ended with 1"),
        ("print('the port is taken')", "ended with 0"),
        ("import os; os.write(2, b'the port is taken'); os._exit(3)", "ended with 3"),
    ],
)
def test_a_server_that_has_ended_is_not_waited_for(code: str, ended: str) -> None:
    """Law: however a server ends before it answers, a test says so, with what it wrote."""
    with (
        pytest.raises(RuntimeError, match=rf"{ended}.*(?s:.*)the port is taken"),
        serving([sys.executable, "-I", "-S", "-c", code], free_port()),
    ):
        pass
