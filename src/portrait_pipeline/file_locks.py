"""Locks on files, taken with flock(2): the system gives them back when their holder ends."""

import errno
import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no flock
    fcntl = None  # type: ignore[assignment]

SHARED_BY_WORKERS = "PORTRAIT_PIPELINE_LOCK"
"""Names, in the environment of a run, the file that its workers lock together with it."""
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


def lock(descriptor: int, *, shared: bool = False) -> bool:
    """Lock an open file for this process and those forked from it, or change how it is locked.

    Args:
        descriptor: The open file.
        shared: Let others share the lock, but nobody have it alone.

    Returns:
        False where the disk or the system knows no locks.

    Raises:
        BlockingIOError: if somebody else holds the lock.
    """
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return False
        raise
    return True


def unlock(descriptor: int) -> None:
    """Give a lock back, for the processes that were forked meanwhile too, and close the file."""
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def share_lock(file: Path) -> int | None:
    """Share a lock that another process holds, until this process ends.

    Returns:
        The descriptor that holds it; None where there is no such file, or it is not to be shared.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        return None
    try:
        if lock(descriptor, shared=True):
            return descriptor
    except OSError:
        pass  # held by one that shares it with nobody
    os.close(descriptor)
    return None


def share_lock_of_run() -> int | None:
    """Share the lock of the run that started this process; called first in a spawned worker.

    A worker that outlives its run may still write, and until it ends no other run should start. A
    forked worker shares the lock without a call.
    """
    file = os.environ.get(SHARED_BY_WORKERS)
    return share_lock(Path(file)) if file else None
