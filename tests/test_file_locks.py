"""Locks on files: held by one, shared by its workers, and never a reason to fail."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from portrait_pipeline import file_locks
from portrait_pipeline.file_locks import SHARED_BY_WORKERS, lock, share_lock, share_lock_of_run

SOURCES = Path(file_locks.__file__).parent


def opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT)


def test_a_lock_is_held_by_one_or_shared(tmp_path: Path) -> None:
    """Alone it shuts out everybody; shared, only those who want it alone."""
    first, second = opened(tmp_path / "lock"), opened(tmp_path / "lock")
    assert lock(first)
    with pytest.raises(BlockingIOError):
        lock(second, shared=True)
    assert share_lock(tmp_path / "lock") is None
    assert lock(first, shared=True)
    assert share_lock(tmp_path / "lock") is not None
    with pytest.raises(BlockingIOError):
        lock(second)


def test_where_there_is_nothing_to_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of a run, and after it, a worker begins all the same."""
    assert share_lock(tmp_path / "gone") is None
    monkeypatch.delenv(SHARED_BY_WORKERS, raising=False)
    assert share_lock_of_run() is None
    monkeypatch.setenv(SHARED_BY_WORKERS, str(tmp_path / "gone"))
    assert share_lock_of_run() is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", ["datasets.workspace_lock", "demo.private_folder"])
def test_a_system_without_flock_imports_what_locks(module: str, tmp_path: Path) -> None:
    """As on Windows, which has neither `fcntl` nor user numbers: nothing is locked or deleted."""
    kept = tmp_path / "portrait_page_other"
    kept.mkdir()
    (kept / ".lock").touch()
    check = f"""
import os, pathlib, sys
sys.modules["fcntl"] = None
del os.getuid
import portrait_pipeline.{module}
from portrait_pipeline.datasets.workspace_lock import WorkspaceLock
from portrait_pipeline.demo.private_folder import private_folder
folder = pathlib.Path({str(tmp_path)!r})
assert not WorkspaceLock(folder / "lock").acquire("kedro run")
with private_folder(folder) as own:
    assert own.is_dir()
assert not own.exists()
"""
    subprocess.run([sys.executable, "-c", check], check=True)
    assert kept.is_dir()


def test_every_pool_of_processes_shares_the_lock_of_its_run() -> None:
    """A pool whose workers are spawned begins them with `share_lock_of_run`."""
    pools = 0
    for path in SOURCES.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
        starts = {"ProcessPoolExecutor", "Pool", "Process", "get_context"}
        if any(getattr(c.func, "id", getattr(c.func, "attr", "")) in starts for c in calls):
            pools += 1
            assert "share_lock_of_run()" in text, path
    assert pools
