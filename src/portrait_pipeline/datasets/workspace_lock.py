"""One run at a time in a workspace: a lock that ends with the process that holds it."""

import errno
import fcntl
import json
import os
import socket
from datetime import datetime
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from portrait_pipeline.errors import PortraitPipelineError

_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


class WorkspaceLock:
    """A lock on a file, taken with flock(2).

    The system gives it back when the process ends, however it ends; an orderly end also removes the
    file. Processes that were forked from the holder, such as the workers that load pictures, hold
    it with it. What is in the file says who holds the lock.

    Args:
        file: The file; its folder is made.
    """

    _held: tuple[int, int] | None = None
    """Process and file descriptor; a forked process has the descriptor but is not the holder."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def acquire(self, command: str) -> bool:
        """Take the lock, or keep it when this process holds it already.

        Args:
            command: What runs, for the message that another run gets.

        Returns:
            False where the disk knows no locks.

        Raises:
            PortraitPipelineError: if another run holds it, naming that run.
        """
        if self._held is not None and self._held[0] == os.getpid():
            return True
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            while not self._is_in_place(descriptor):  # the holder took it away as we opened it
                os.close(descriptor)
                descriptor = self._open()
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._sign(descriptor, command)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                raise PortraitPipelineError(self._occupied()) from error
            if error.errno in _NO_LOCKS:
                return False
            raise
        self._held = os.getpid(), descriptor
        return True

    def release(self) -> None:
        """Give the lock back, for the processes that were forked from this one too."""
        if self._held is not None and self._held[0] == os.getpid():
            self._file.unlink(missing_ok=True)
            fcntl.flock(self._held[1], fcntl.LOCK_UN)
            os.close(self._held[1])
            self._held = None

    def _open(self) -> int:
        return os.open(self._file, os.O_RDWR | os.O_CREAT, 0o666)

    def _is_in_place(self, descriptor: int) -> bool:
        """Tell whether the file that is locked is the one that others will find."""
        try:
            return os.path.samestat(os.fstat(descriptor), self._file.stat())
        except FileNotFoundError:
            return False

    def _sign(self, descriptor: int, command: str) -> None:
        """Write down who holds the lock, into the locked file itself: a new one would be free."""
        holder = {
            "command": command,
            "process": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now().astimezone().isoformat(timespec="seconds"),
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)

    def _occupied(self) -> str:
        workspace = self._file.parent.name
        try:
            by = json.loads(self._file.read_text(encoding="utf-8"))
            holder = (
                f"`{by['command']}` (process {by['process']} on {by['host']}, since {by['since']})"
            )
        except (OSError, ValueError, KeyError, TypeError):
            holder = "another run"  # it has taken the lock and not yet signed
        return (
            f"{holder} works in the workspace {workspace}: wait until it ends, or choose another"
            " workspace with --params workspace=NAME"
        )


class WorkspaceLockDataset(AbstractDataset[None, WorkspaceLock]):
    """Hands the lock of a workspace to whoever loads it; always the same one.

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
        """Refuse: a lock is taken, not saved."""
        raise TypeError("a lock is an input only")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
