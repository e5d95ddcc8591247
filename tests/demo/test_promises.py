"""The document on security names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_promise_names_its_test() -> None:
    """Each file and each function named in docs/security.md is there."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:\w+/)*test_\w+\.py)?(?:::)?(test_\w+)?`", text)
    file = ""
    checked = 0
    for path, function in named:
        file = path or file
        if not (path or function):
            continue
        source = (ROOT / "tests" / file).read_text(encoding="utf-8")
        assert not function or f"def {function}(" in source, f"{file}::{function}"
        checked += 1
    assert checked > 40
