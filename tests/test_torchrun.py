"""`torchrun -m kedro run` on two processes, of which one is killed."""

import os
import subprocess
import sys

import pytest
from support.checkpoints import differing
from support.kedro_project import ROOT, KedroProject, make_project, training_in

RANK = ROOT / "tests" / "support" / "rank_of_training.py"
LAUNCHER = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]


def trained(project: KedroProject, lost: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Train in two processes, of which one may be lost."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = os.pathsep.join([str(ROOT / "tests"), *filter(None, given)])
    return subprocess.run(
        [sys.executable, *LAUNCHER, str(RANK), lost, "run", "--env=sample", *arguments],
        cwd=project.folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    """A project in which two processes have trained undisturbed in the workspace `whole`."""
    made = make_project(tmp_path_factory.mktemp("project"))
    made.add_workspace("whole")
    done = trained(made, "none", *training_in("whole"))
    assert done.returncode == 0, done.stderr
    return made


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["0", "1"])
def test_after_the_loss_of_any_process_the_training_goes_on_bit_for_bit(
    project: KedroProject, lost: str
) -> None:
    """Law: all processes end, the workspace is free, and no run is left open in the end."""
    workspace = f"lost_{lost}"
    project.add_workspace(workspace)
    done = trained(project, lost, *training_in(workspace))
    assert done.returncode != 0
    states = list((project.folder / "data/06_models" / workspace).rglob("training/**/*.pt"))
    assert states, done.stderr
    done = trained(project, "none", *training_in(workspace, "resume=true"))
    assert done.returncode == 0, done.stderr
    assert "goes on after step" in done.stdout + done.stderr
    changed = differing(project.model("whole"), project.model(workspace))
    # a training does not draw from the random state of its process, which starting several moves
    changed = [place for place in changed if not place.startswith("/random_states/")]
    assert set(changed) == {"/tracking_id", "/parameters/resume"}
    assert "RUNNING" not in {run.info.status for run in project.runs(workspace)}
