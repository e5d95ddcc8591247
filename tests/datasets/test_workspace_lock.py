"""A workspace belongs to one run: others are told which, and a dead one holds nothing."""

import fcntl
import json
import multiprocessing
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

import pytest
from support.lock_workers import share_and_wait

from portrait_pipeline.datasets.workspace_lock import (
    WorkspaceLock,
    WorkspaceLockDataset,
    release_locks,
)
from portrait_pipeline.errors import PortraitPipelineError


def hold(file: Path, ready: Connection, start_method: str | None) -> None:
    """Be a run: take the lock, start a worker that may outlive it, and wait to be killed."""
    WorkspaceLock(file).acquire("kedro run --pipeline=ingest")
    if start_method is None:
        ready.send(0)
    else:
        context = multiprocessing.get_context(start_method)
        context.Process(target=share_and_wait, args=(ready,)).start()
    signal.pause()


@contextmanager
def holder(
    file: Path, worker: Literal["fork", "spawn", "forkserver"] | None = None
) -> Iterator[tuple[int, int]]:
    """Another process that holds the lock, and its worker; the process is killed afterwards."""
    mine, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("fork")
    process = context.Process(target=hold, args=(file, theirs, worker))
    process.start()
    started = mine.recv()
    assert process.pid is not None
    try:
        yield process.pid, started
    finally:
        process.kill()
        process.join()


def test_a_second_run_is_told_of_the_first(tmp_path: Path) -> None:
    """The sentence names command, process, host and workspace, and what to do."""
    file = tmp_path / "sample" / ".lock"
    with holder(file) as (process, _), pytest.raises(PortraitPipelineError) as told:
        WorkspaceLock(file).acquire("kedro run")
    sentence = str(told.value)
    assert f"process {process} on {socket.gethostname()}" in sentence
    assert "`kedro run --pipeline=ingest`" in sentence
    assert "works in the workspace sample" in sentence
    assert "--params workspace=NAME" in sentence


def test_a_killed_run_holds_nothing(tmp_path: Path) -> None:
    """After kill -9 the next run takes the lock, whatever the first one wrote into it."""
    file = tmp_path / ".lock"
    with holder(file):
        pass
    lock = WorkspaceLock(file)
    assert lock.acquire("kedro run")
    lock.release()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_worker_that_outlives_its_run_keeps_the_lock(
    tmp_path: Path, method: Literal["fork", "spawn", "forkserver"]
) -> None:
    """While a worker may still write, no other run starts; with its end the lock is free."""
    file = tmp_path / ".lock"
    with holder(file, method) as (_, worker):
        pass
    with pytest.raises(PortraitPipelineError, match="works in the workspace"):
        WorkspaceLock(file).acquire("kedro run")
    os.kill(worker, signal.SIGKILL)
    with file.open() as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)  # waits for the kernel to end the worker


def test_the_processes_of_one_training_share_the_lock(tmp_path: Path) -> None:
    """A rank joins what the rank beside it has taken, and keeps it when that one is killed."""
    lock, rank = WorkspaceLock(tmp_path / ".lock"), WorkspaceLock(tmp_path / ".lock")
    assert not rank.join()  # nobody holds it yet
    assert list(tmp_path.iterdir()) == []
    with holder(tmp_path / ".lock"):  # a child of this process; we are one of another launcher
        assert not rank.join()
    lock.acquire("torchrun")
    assert rank.join()
    lock._file = tmp_path / "elsewhere"  # a killed process removes nothing
    lock.release()
    with pytest.raises(PortraitPipelineError, match="`torchrun`"):
        WorkspaceLock(tmp_path / ".lock").acquire("next")
    rank.release()
    assert (tmp_path / ".lock").exists()  # it is not for a rank to remove
    following = WorkspaceLock(tmp_path / ".lock")
    assert following.acquire("next")
    following.release()


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"host": 1}'])
def test_a_rank_shares_no_lock_that_is_not_signed(tmp_path: Path, content: bytes) -> None:
    """What a killed run left, whatever it is, is not taken for the lock of this training."""
    (tmp_path / ".lock").write_bytes(content)
    assert not WorkspaceLock(tmp_path / ".lock").join()
    stale = {"host": socket.gethostname(), "launcher": os.getppid() + 1}
    (tmp_path / ".lock").write_text(json.dumps(stale))
    assert not WorkspaceLock(tmp_path / ".lock").join()


def test_it_is_given_back_and_taken_again(tmp_path: Path) -> None:
    """One process may run several pipelines one after the other, or begin one twice."""
    first, second = WorkspaceLock(tmp_path / ".lock"), WorkspaceLock(tmp_path / ".lock")
    assert first.acquire("one")
    assert first.acquire("one, again")
    with pytest.raises(PortraitPipelineError, match="`one`"):
        second.acquire("two")
    first.release()
    first.release()
    assert second.acquire("two")
    second.release()
    assert list(tmp_path.iterdir()) == []


def test_all_locks_of_a_process_are_given_back_at_once(tmp_path: Path) -> None:
    """As when a signal ends a run: no file is left, and nothing is given back twice."""
    locks = [WorkspaceLock(tmp_path / name / ".lock") for name in ("a", "b", "c")]
    for lock in locks:
        lock.acquire("kedro run")
    locks[1].release()
    release_locks()
    release_locks()
    assert not list(tmp_path.rglob(".lock"))
    assert locks[0].acquire("again")
    locks[0].release()


def test_a_file_that_was_taken_away_locks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that opened the file just before the last one removed it locks the next file."""
    last, next_one, third = (WorkspaceLock(tmp_path / ".lock") for _ in range(3))
    last.acquire("last")
    lock = fcntl.flock

    def after_the_last(descriptor: int, operation: int) -> None:
        monkeypatch.undo()
        last.release()
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", after_the_last)
    assert next_one.acquire("next")
    with pytest.raises(PortraitPipelineError, match="`next`"):
        third.acquire("third")
    next_one.release()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"command": 1}', "\0\0", "[" * 10**5])
def test_a_lock_that_nobody_signed_is_held_by_another_run(tmp_path: Path, content: str) -> None:
    """Whatever stands in the file, the message is a sentence."""
    file = tmp_path / ".lock"
    with holder(file):
        file.write_text(content)
        with pytest.raises(PortraitPipelineError, match="another run works in the workspace"):
            WorkspaceLock(file).acquire("kedro run")


def test_a_disk_without_locks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network disks know no flock; the caller learns it instead of an error."""

    def unknown(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", unknown)
    assert not WorkspaceLock(tmp_path / ".lock").acquire("kedro run")


def test_the_dataset_hands_out_one_lock(tmp_path: Path) -> None:
    """Loading twice gives the same lock."""
    dataset = WorkspaceLockDataset(filepath=str(tmp_path / "sample/.lock"))
    assert dataset.load() is dataset.load()
