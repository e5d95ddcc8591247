"""Laws of what runs in a worker, in this process."""

import _thread
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from kedro.io import DatasetError, MemoryDataset
from kedro.io.core import Version
from kedro.pipeline import Node
from kedro_datasets.json import JSONDataset
from support import ray_nodes

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.runners.mailbox import Event
from portrait_pipeline.runners.worker import GroupTask, failure, run_group


@pytest.fixture(autouse=True)
def _and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker goes to its task's folder and stays there; the tests after it are elsewhere."""
    monkeypatch.chdir(tmp_path)


class Box:
    """An outbox that keeps what is sent."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.is_flushed = False

    def send(self, event: Event) -> None:
        self.events.append(event)

    def flush(self) -> None:
        self.is_flushed = True


def task(folder: Path, func: Any, dataset: Any) -> GroupTask:
    node = Node(func=func, inputs="number", outputs="result", name="work")
    datasets = {"number": MemoryDataset(), "result": dataset}
    kept = () if not isinstance(dataset, MemoryDataset) else ("result",)
    return GroupTask(0, (node,), datasets, kept, str(folder), None, None)


def test_it_tells_start_and_end_and_keeps_what_is_asked_for(tmp_path: Path) -> None:
    """Law: events in order, all of them sent off before the outcome."""
    box = Box()
    outcome, kept = run_group(
        task(tmp_path, ray_nodes.double, MemoryDataset()), {"number": 4}, box, "h"
    )
    assert (outcome.kind, kept) == ("done", [8])
    assert [(event.kind, event.node, event.host_id) for event in box.events] == [
        ("started", "work", "h"),
        ("done", "work", "h"),
    ]
    assert box.is_flushed


def test_a_version_of_a_lost_attempt_is_replaced(tmp_path: Path) -> None:
    """Law: a second attempt of a run saves under the same version as the first."""
    version = Version(None, "2026-01-01T00.00.00.000Z")
    results = []
    for number in (1, 2):
        dataset = JSONDataset(filepath=str(tmp_path / "result.json"), version=version)
        outcome, _ = run_group(
            task(tmp_path, ray_nodes.double, dataset), {"number": number}, Box(), "h"
        )
        assert outcome.kind == "done", outcome.sentence
        results.append(
            JSONDataset(filepath=str(tmp_path / "result.json"), version=Version(None, None)).load()
        )
    assert results == [2, 4]


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_the_innermost_error_for_people_is_told(depth: int) -> None:
    """Law: however many libraries have wrapped it."""
    error: Exception = PortraitPipelineError("x is 0")
    for _ in range(depth):
        outer = DatasetError("failed while saving")
        outer.__cause__ = error
        error = outer
    outcome = failure("work", "host", error)
    assert (outcome.sentence, outcome.is_for_people) == ("x is 0", True)
    other = failure("work", "host", DatasetError("no such file"))
    assert (other.sentence, other.is_for_people) == ("DatasetError: no such file", False)
    assert "DatasetError" in other.traceback


def test_ctrl_c_in_a_worker_is_an_outcome(tmp_path: Path) -> None:
    """Law: a node that is asked to stop says so, and what it would keep is empty."""

    def stop(_: int) -> int:
        raise KeyboardInterrupt

    outcome, kept = run_group(task(tmp_path, stop, MemoryDataset()), {"number": 1}, Box(), "h")
    assert (outcome.kind, outcome.node, kept) == ("stopped", "work", [None])


def test_a_task_can_be_cancelled_whatever_the_command_ignores(tmp_path: Path) -> None:
    """Law: Ray cancels a task as Ctrl-C would; a command in the background ignores that signal."""

    def cancelled(number: int) -> None:
        _thread.interrupt_main()
        assert threading.Event().wait(0.1)  # never set: an interruption comes before this fails

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        outcome, _ = run_group(
            task(tmp_path, cancelled, MemoryDataset()), {"number": 1}, Box(), "h"
        )
    finally:
        signal.signal(signal.SIGINT, before)
    assert outcome.kind == "stopped"
