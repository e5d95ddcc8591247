"""Laws of a training that is interrupted, on real processes of `kedro run`."""

import random
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from mlflow.tracking import MlflowClient
from support.checkpoints import differing
from support.kedro_project import KedroProject, trained_project, training_in
from support.kill_switch import KillSwitch

SEED = 1
EVENTS_PER_STEP = 1500
DISK_EVENTS_PER_SAVE = 320


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KedroProject]:
    """A project in which the workspace `whole` holds a training that nobody disturbed."""
    with trained_project(tmp_path_factory.mktemp("project")) as made:
        yield made


def _curve(project: KedroProject, run_id: str) -> list[tuple[int, float]]:
    points = MlflowClient(project.tracking_uri).get_metric_history(run_id, "generator_loss")
    return [(point.step, point.value) for point in points]


def test_killed_at_any_moment_it_goes_on_bit_for_bit(project: KedroProject) -> None:
    """Law: after ten times kill -9 the checkpoint is that of a training nobody disturbed.

    Five times somewhere in the training, five times inside a save, at moments drawn from a seed.
    """
    draw = random.Random(SEED)
    project.add_workspace("chain")
    for turn in range(10):
        inside = KillSwitch("save", draw.randrange(1, 3 * DISK_EVENTS_PER_SAVE))
        switch = inside if turn % 2 else KillSwitch("training", draw.randrange(4 * EVENTS_PER_STEP))
        code, output = project.run(training_in("chain", f"resume={str(turn > 0).lower()}"), switch)
        assert code == -signal.SIGKILL, output
    code, output = project.run(training_in("chain", "resume=true"))
    assert code == 0, output
    whole, chain = project.model("whole"), project.model("chain")
    assert set(differing(whole, chain)) == {"/tracking_id", "/parameters/resume"}
    assert _curve(project, chain["tracking_id"]) == _curve(project, whole["tracking_id"])
    statuses = {run.info.run_id: run.info.status for run in project.runs("chain")}
    assert statuses[chain["tracking_id"]] == "FINISHED"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_closes_the_runs_as_killed_and_fails(
    project: KedroProject, number: signal.Signals
) -> None:
    """Law: the step is finished and saved, MLflow says KILLED, the exit code is not zero."""
    workspace = number.name
    project.add_workspace(workspace)
    switch = KillSwitch("training", 7 * EVENTS_PER_STEP, number)
    code, output = project.run(training_in(workspace), switch)
    assert code == 1, output
    assert f"error: {number.name} stopped the training of baseline after step" in output
    assert {run.info.status for run in project.runs(workspace)} == {"KILLED"}
    assert len(project.runs(workspace)) == 2
    code, output = project.run(training_in(workspace, "resume=true"))
    assert code == 0, output
    assert "goes on after step" in output
    ours = project.model(workspace)
    assert set(differing(project.model("whole"), ours)) == {"/tracking_id", "/parameters/resume"}
    assert len({run.info.run_id for run in project.runs(workspace)}) == 3


def test_other_parameters_are_listed_and_stop(project: KedroProject) -> None:
    """Law: resumed with other parameters, the command names them, trains nothing and fails."""
    before = sorted((project.folder / "data" / "06_models" / "whole").rglob("*"))
    code, output = project.run(training_in("whole", "resume=true", "num_epochs=9", "seed=4"))
    assert code == 1
    assert "seed 0 → 4" in output
    assert "num_epochs 4 → 9" in output
    assert sorted((project.folder / "data" / "06_models" / "whole").rglob("*")) == before


def test_a_tampered_state_is_named_and_the_one_before_taken_when_asked(
    project: KedroProject,
) -> None:
    """Law: one changed byte stops the command; from the state before, it ends where it would."""
    project.add_workspace("tampered")
    code, output = project.run(training_in("tampered"), KillSwitch("training", 9 * EVENTS_PER_STEP))
    assert code == -signal.SIGKILL, output
    newest = max((project.folder / "data/06_models/tampered/training/baseline").glob("*.pt"))
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(bytes(content))
    code, output = project.run(training_in("tampered", "resume=true"))
    assert code == 1
    assert f"{newest.name} is damaged" in output
    assert "resume_from=previous" in output
    code, output = project.run(training_in("tampered", "resume=true", "resume_from=previous"))
    assert code == 0, output
    ours = project.model("tampered")
    assert set(differing(project.model("whole"), ours)) == {"/tracking_id", "/parameters/resume"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_any_stage_as_killed(project: KedroProject, number: signal.Signals) -> None:
    """Law: outside of a training too MLflow says KILLED, one sentence says why, and it fails."""
    workspace = f"ingest_{number.name}"
    ingest = ["--pipeline=ingest", f"--params=workspace={workspace}"]
    code, output = project.run(ingest, KillSwitch("ingest", 3, number))
    assert code == 1, output
    assert f"error: {number.name} stopped the command" in output
    assert "Traceback" not in output
    assert [run.info.status for run in project.runs(workspace)] == ["KILLED"]


def test_the_run_of_a_killed_process_is_closed_by_the_next(project: KedroProject) -> None:
    """Law: after kill -9 a run stays open only until something else is run in its workspace."""
    ingest = ["--pipeline=ingest", "--params=workspace=killed"]
    code, output = project.run(ingest, KillSwitch("ingest", 3))
    assert code == -signal.SIGKILL, output
    assert [run.info.status for run in project.runs("killed")] == ["RUNNING"]
    project.run(ingest, KillSwitch("ingest", 3, signal.SIGTERM))
    assert [run.info.status for run in project.runs("killed")] == ["KILLED", "KILLED"]


def test_a_store_that_is_locked_at_the_start_is_one_sentence(project: KedroProject) -> None:
    """Law: before any work, with what to do; once the other program ends, it runs."""
    ingest = ["--pipeline=ingest", "--params=workspace=locked"]
    with closing(sqlite3.connect(project.folder / "mlflow.db")) as busy:
        busy.execute("BEGIN EXCLUSIVE")
        code, output = project.run(ingest)
    assert code == 1, output
    (sentence,) = [line for line in output.splitlines() if line.startswith("error: ")]
    assert "locked" in sentence
    assert "end the program that has it open, then run the command again" in sentence
    assert "Traceback" not in output
    assert not (project.folder / "data/01_raw/locked").exists()
