"""One folder for the faces of visitors, which no way out of the program leaves behind."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "portrait_page_"
LOCK_FILE = ".lock"


@contextmanager
def private_folder(parent: Path | None = None) -> Iterator[Path]:
    """Make a folder that only this user can read; delete it when the block ends, however it ends.

    A killed program cannot delete anything. Its lock on the folder ends with it, though, and so the
    next call recognises and deletes what it left.

    Args:
        parent: Where to make it; by default the system's folder for temporary files.
    """
    parent = parent or Path(tempfile.gettempdir())
    _delete_abandoned(parent)
    # Locked before it has its name: a folder of that name without a lock has no owner any more.
    hidden = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=parent))
    folder = hidden.with_name(hidden.name.removeprefix("."))
    with (hidden / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        hidden.rename(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _delete_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        is_own = folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.getuid()
        if is_own and not _is_locked(folder / LOCK_FILE):
            shutil.rmtree(folder, ignore_errors=True)


def _is_locked(path: Path) -> bool:
    try:
        with path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
