"""One run at a time in a workspace: a lock that ends with the process that holds it."""

import json
import os
import socket
from datetime import datetime
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.file_locks import SHARED_BY_WORKERS, lock, share_lock, unlock
from portrait_pipeline.files import parse_json


class WorkspaceLock:
    """A lock on a file, taken with flock(2), which a run shares with its own processes alone.

    The system gives it back when the last of these processes ends, however it ends; an orderly end
    also removes the file. Forked processes hold the lock with the run, spawned workers and the
    other processes of one training share it. What is in the file says who holds the lock.

    Args:
        file: The file; its folder is made.
    """

    _held: tuple[int, int] | None = None
    """Process and file descriptor; a forked process has the descriptor but is not the holder."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._is_signed_by_us = False

    def acquire(self, command: str) -> bool:
        """Take the lock, or keep it when this process holds it already.

        Args:
            command: What runs, for the message that another run gets.

        Returns:
            False where the disk or the system knows no locks.

        Raises:
            PortraitPipelineError: if another run holds it, naming that run.
        """
        if self._is_held():
            return True
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = self._open()
        try:
            is_locked = lock(descriptor)
            while is_locked and not self._is_in_place(descriptor):
                os.close(descriptor)  # the holder took the file away as we opened it
                descriptor = self._open()
                is_locked = lock(descriptor)
            if is_locked:
                self._sign(descriptor, command)
                lock(descriptor, shared=True)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                raise PortraitPipelineError(self._occupied()) from error
            raise
        if not is_locked:
            os.close(descriptor)
            return False
        self._held, self._is_signed_by_us = (os.getpid(), descriptor), True
        os.environ[SHARED_BY_WORKERS] = str(self._file.absolute())
        _taken.append(self)
        return True

    def join(self) -> bool:
        """Share the lock of another process that was started by the same launcher.

        Returns:
            Whether it is shared; False also as long as the other process has not taken it.
        """
        if self._is_held():
            return True
        holder = self._holder()
        beside = holder.get("host") == socket.gethostname()
        if not beside or holder.get("launcher") != os.getppid():
            return False
        descriptor = share_lock(self._file)
        if descriptor is not None:
            self._held = os.getpid(), descriptor
        return descriptor is not None

    def release(self) -> None:
        """Give the lock back, for the processes that were forked from this one too."""
        if self._is_held() and self._held is not None:
            if self._is_signed_by_us:
                self._file.unlink(missing_ok=True)
                os.environ.pop(SHARED_BY_WORKERS, None)
                self._is_signed_by_us = False
            unlock(self._held[1])
            self._held = None
            _taken[:] = [each for each in _taken if each is not self]

    def _is_held(self) -> bool:
        return self._held is not None and self._held[0] == os.getpid()

    def _open(self) -> int:
        return os.open(self._file, os.O_RDWR | os.O_CREAT, 0o666)

    def _is_in_place(self, descriptor: int) -> bool:
        """Tell whether the file that is locked is the one that others will find."""
        try:
            return os.path.samestat(os.fstat(descriptor), self._file.stat())
        except FileNotFoundError:
            return False

    def _sign(self, descriptor: int, command: str) -> None:
        """Write who holds the lock into the locked file itself; a new file would be unlocked."""
        holder = {
            "command": command,
            "process": os.getpid(),
            "launcher": os.getppid(),
            "host": socket.gethostname(),
            "since": datetime.now().astimezone().isoformat(timespec="seconds"),
        }
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, json.dumps(holder).encode())

    def _holder(self) -> dict[str, Any]:
        """Read who holds the lock; nothing where the file is not signed."""
        try:
            holder = parse_json(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        return holder if isinstance(holder, dict) else {}

    def _occupied(self) -> str:
        by = self._holder()
        try:
            holder = (
                f"`{by['command']}` (process {by['process']} on {by['host']}, since {by['since']})"
            )
        except KeyError:
            holder = "another run"  # it has taken the lock and not yet signed
        return (
            f"{holder} works in the workspace {self._file.parent.name}: wait until it ends, or"
            " choose another workspace with --params workspace=NAME"
        )


_taken: list[WorkspaceLock] = []
"""The locks that this process has taken and not given back."""


def release_locks() -> None:
    """Give back every lock of this process, when a signal ends a run and no hook is told of it."""
    for each in tuple(_taken):
        each.release()


class WorkspaceLockDataset(AbstractDataset[None, WorkspaceLock]):
    """Gives everyone who loads it the same lock of a workspace.

    Args:
        filepath: The file that is locked; the name of its folder is that of the workspace.
        metadata: Read by Kedro's plugins.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self._lock = WorkspaceLock(self._filepath)
        self.metadata = metadata

    def load(self) -> WorkspaceLock:
        """Return the lock, which is not taken yet."""
        return self._lock

    def save(self, data: None) -> None:
        """Refuse to save: a lock is taken, not saved."""
        raise TypeError("a lock is an input only")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
