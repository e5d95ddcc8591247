"""The one module that knows `resource`; the others work on systems without it."""

import ast
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from portrait_pipeline import process_resources
from portrait_pipeline.process_resources import limit_process, peak_memory_mb

PACKAGE = Path(process_resources.__file__).parent
ONLY_UNIX = {"resource", "fcntl", "pwd", "grp", "termios", "pty"}
GUARDED_IN = {"process_resources.py", "file_locks.py"}


def test_the_peak_counts_what_was_used() -> None:
    """200 MB more are seen as such."""
    before = peak_memory_mb()
    assert 10 < before < 100_000
    np.ones(int(before * 2**20 / 8) + 25 * 2**20)
    assert peak_memory_mb() >= before + 150


def test_without_limits_nothing_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows."""
    monkeypatch.setattr(process_resources, "resource", None)
    assert math.isnan(peak_memory_mb())
    limit_process(1, 0.0)
    assert len(bytes(10**6)) == 10**6


def test_a_limit_holds() -> None:
    """A process that takes more memory than it may gets an error, not the memory."""
    code = (
        "from portrait_pipeline.process_resources import limit_process\n"
        "limit_process(500_000_000, 20)\n"
        "bytes(10**9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "MemoryError" in done.stderr


def test_modules_of_unix_alone_are_imported_in_guarded_places() -> None:
    """Everything else can be imported on Windows."""
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]
        )
        if name in ONLY_UNIX
    }
    assert found == GUARDED_IN
