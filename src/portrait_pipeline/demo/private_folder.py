"""A folder for visitors' faces that is deleted however the program ends."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portrait_pipeline.file_locks import lock

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
    with (hidden / LOCK_FILE).open("wb") as opened:
        lock(opened.fileno())
        hidden.rename(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _delete_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        if _is_own(folder) and not _is_locked(folder / LOCK_FILE):
            shutil.rmtree(folder, ignore_errors=True)


def _is_own(folder: Path) -> bool:
    if not folder.is_dir() or folder.is_symlink():
        return False
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()


def _is_locked(path: Path) -> bool:
    """Tell whether a page still has its folder; where there are no locks, every page may."""
    try:
        with path.open("rb") as opened:
            return not lock(opened.fileno())
    except BlockingIOError:
        return True
    except OSError:  # no lock file: it has lost its owner
        return False
