"""Laws of a training on a cluster: it gives the plain runner's model, wherever it has to go on."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.checkpoints import differing
from support.kedro_project import KedroProject, trained_project, training_in

TASK = "ray::baseline.train_model"
RUNNER = "--runner=portrait_pipeline.runners.RayRunner"
# No training draws from the process's own random state, to which other nodes of it add.
NOT_OF_THE_TRAINING = {"/tracking_id", "/random_states/0/torch"}
EPOCHS = "num_epochs=6"
SECONDS_OF_NOTICE = 600.0
TRAINER = "cluster.resources.gpu.custom.trainer=1"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KedroProject]:
    """A project in which the workspace `whole` holds a training by Kedro's own runner."""
    with trained_project(tmp_path_factory.mktemp("project"), EPOCHS) as made:
        yield made


def _on_cluster(cluster: Any, workspace: str, *params: str) -> list[str]:
    address = f"--runner-params=address={cluster.address}"
    return [*training_in(workspace, EPOCHS, TRAINER, *params), RUNNER, address]


def _after_a_save(project: KedroProject, workspace: str, act: Callable[[], None]) -> None:
    """Do something once the training has saved a state, while it goes on."""
    folder = project.folder / "data" / "06_models" / workspace / "training" / "baseline"

    def wait_and_act() -> None:
        while not list(folder.glob("step-*.pt")):
            time.sleep(0.02)
        act()

    threading.Thread(target=wait_and_act, daemon=True).start()


def _processes(title: str) -> list[int]:
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        found += [int(each.parent.name)] if words.startswith(title) else []
    return found


def _signal_the_task(number: signal.Signals) -> None:
    for process in _processes(TASK):
        os.kill(process, number)


@pytest.fixture
def trainers(cluster: Any) -> Iterator[Sequence[Any]]:
    """Two further hosts, the only ones that trainings may use.

    Both are there from the start: Ray ends the processes of a host with the thread that added it.
    """
    nodes = [cluster.add_node(num_cpus=1, resources={"trainer": 1}) for _ in range(2)]
    yield nodes
    for node in nodes:
        if node in cluster.worker_nodes:
            cluster.remove_node(node)


def _assert_as_if_undisturbed(project: KedroProject, workspace: str) -> None:
    """One model, bit for bit that of the plain runner; one run of it below the pipeline's."""
    ours = project.model(workspace)
    assert set(differing(project.model("whole"), ours)) <= NOT_OF_THE_TRAINING
    runs = {run.info.run_name: run for run in project.runs(workspace)}
    assert sorted(runs) == ["baseline", "train_baseline"]
    assert len(project.runs(workspace)) == 2
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    parent = runs["baseline"].data.tags["pipeline_run"]
    assert parent == runs["train_baseline"].info.run_id


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_process_that_is_ended_goes_on_bit_for_bit(
    cluster: Any, trainers: Sequence[Any], project: KedroProject, number: signal.Signals
) -> None:
    """Law: notice or none, the training goes on from what it saved, to the same weights."""
    workspace = number.name
    project.add_workspace(workspace)
    _after_a_save(project, workspace, lambda: _signal_the_task(number))
    code, output = project.run(_on_cluster(cluster, workspace))
    assert code == 0, output
    assert "goes on after step" in output
    assert "baseline.train_model goes on at" in output
    _assert_as_if_undisturbed(project, workspace)


def _lose(cluster: Any, node: Any) -> None:
    cluster.remove_node(node, allow_graceful=False)


def _drain(cluster: Any, node: Any) -> None:
    """Do what `ray drain-node` does where a host is taken away with notice."""
    from ray._raylet import GcsClient  # noqa: PLC0415
    from ray.core.generated.autoscaler_pb2 import DrainNodeReason  # noqa: PLC0415

    reason = DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")
    deadline_ms = int(1000 * (time.time() + SECONDS_OF_NOTICE))
    client = GcsClient(address=cluster.address)
    assert client.drain_node(node.node_id, reason, "taken away", deadline_ms)[0]


def _host_of_the_task(nodes: Sequence[Any]) -> Any:
    """Return the host at which the training runs: its processes are children of Ray's there."""
    parents = {
        int((Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[1])
        for process in _processes(TASK)
    }
    (node,) = [node for node in nodes if node.all_processes["raylet"][0].process.pid in parents]
    return node


@pytest.mark.slow
@pytest.mark.parametrize(
    ("take_away", "words"), [(_lose, "the host was lost"), (_drain, "which is going away")]
)
def test_a_host_that_is_taken_away_is_replaced_bit_for_bit(
    cluster: Any,
    trainers: Sequence[Any],
    project: KedroProject,
    take_away: Callable[[Any, Any], None],
    words: str,
) -> None:
    """Law: notice or none, the training goes on at another host, to the same weights."""
    workspace = take_away.__name__.strip("_")
    project.add_workspace(workspace)
    _after_a_save(project, workspace, lambda: take_away(cluster, _host_of_the_task(trainers)))
    code, output = project.run(_on_cluster(cluster, workspace))
    assert code == 0, output
    assert words in output
    assert "goes on after step" in output
    assert "baseline.train_model goes on at" in output
    _assert_as_if_undisturbed(project, workspace)


@pytest.mark.slow
def test_ctrl_c_saves_and_closes_every_run_as_killed(
    cluster: Any, trainers: Sequence[Any], project: KedroProject
) -> None:
    """Law: the training saves, all runs say KILLED, and the same command takes the run over."""
    project.add_workspace("stopped")

    def interrupt() -> None:
        (pid,) = project_processes
        os.kill(pid, signal.SIGINT)

    project_processes: list[int] = []
    _after_a_save(project, "stopped", interrupt)
    code, output = project.run(_on_cluster(cluster, "stopped"), started=project_processes.append)
    assert code == 1, output
    assert "error: Ctrl-C stopped the command" in output
    assert "Traceback" not in output
    assert [run.info.status for run in project.runs("stopped")] == ["KILLED", "KILLED"]
    assert not _processes(TASK)
    code, output = project.run(_on_cluster(cluster, "stopped", "resume=true"))
    assert code == 0, output
    assert "goes on after step" in output
    places = differing(project.model("whole"), project.model("stopped"))
    assert set(places) <= {*NOT_OF_THE_TRAINING, "/parameters/resume"}
