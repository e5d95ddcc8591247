"""Runs of killed processes are closed; those of living ones, and of other machines, are not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient
from support.mlflow_store import make_store

from portrait_pipeline.datasets.run_owner import OWNER_TAG, close_lost_runs, is_gone, owner


def owner_that_ended() -> str:
    """Return the name of a process that has ended."""
    code = "from portrait_pipeline.datasets.run_owner import owner; print(owner())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_process_is_known_by_more_than_its_number() -> None:
    """Numbers are given again after a while; the start tells two processes apart."""
    host, process, started = owner().split(":")
    assert not is_gone(owner())
    assert is_gone(f"{host}:{process}:{int(started) + 1}")
    assert is_gone(f"{host}:{10**30}:{started}")


@pytest.mark.parametrize(
    "name", ["", "elsewhere:1:1", "no process at all", f"{os.uname().nodename}:many:5"]
)
def test_what_cannot_be_known_counts_as_alive(name: str) -> None:
    """A run without a name, or of another machine, is never closed from here."""
    assert not is_gone(name)


def test_only_runs_of_ended_processes_are_closed(tmp_path: Path) -> None:
    """The open runs of a killed process become KILLED; nothing else changes."""
    client = MlflowClient(make_store(tmp_path / "mlflow.db"))
    experiment = client.create_experiment("any", artifact_location=str(tmp_path))
    ended = owner_that_ended()
    names = {"lost": ended, "ours": owner(), "theirs": "elsewhere:1:1", "done": ended}
    runs = {
        name: client.create_run(experiment, tags={OWNER_TAG: value}, run_name=name).info.run_id
        for name, value in names.items()
    }
    client.set_terminated(runs["done"], "FINISHED")
    assert close_lost_runs(client, experiment) == ["lost"]
    statuses = {name: client.get_run(run).info.status for name, run in runs.items()}
    assert statuses == {
        "lost": "KILLED", "ours": "RUNNING", "theirs": "RUNNING", "done": "FINISHED"
    }  # fmt: skip
