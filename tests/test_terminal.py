"""What reaches the terminal: this project's own words, each once, above any bar."""

import errno
import io
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from portrait_pipeline.datasets.workspace_lock import WorkspaceLock
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.shell import show_any_character
from portrait_pipeline.terminal import LogFile, sentence_of_validation, user_error

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src" / "portrait_pipeline"
LOGGERS = yaml.safe_load((ROOT / "conf" / "logging.yml").read_text(encoding="utf-8"))["loggers"]
OWN = {name for name, settings in LOGGERS.items() if settings.get("handlers")}
SPEAKING = [
    ".".join(path.relative_to(SOURCES.parent).with_suffix("").parts)
    for path in sorted(SOURCES.rglob("*.py"))
    if "logging.getLogger(__name__)" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("module", SPEAKING)
def test_every_module_that_speaks_is_heard_once(module: str) -> None:
    """Exactly one logger on the way up to the root has a handler of the terminal."""
    parts = module.split(".")
    ancestors = {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
    assert len(ancestors & OWN) == 1


def test_the_sentence_of_a_wrapped_mistake_is_found() -> None:
    """Kedro wraps what a dataset raises; the person reads the cause. A fault of ours has none."""
    wrapped = RuntimeError("failed")
    wrapped.__cause__ = PortraitPipelineError("give another folder")
    assert user_error(wrapped) == "give another folder"
    assert user_error(RuntimeError("a fault")) is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_a_disk_that_is_full_or_closed_is_a_sentence(number: int) -> None:
    """Whichever library wrote, and however its error was wrapped; other faults are ours."""
    for path in ("/data/crops/faces.npy", None):
        wrapped = RuntimeError("Failed while saving data")
        wrapped.__cause__ = OSError(number, os.strerror(number), path)
        sentence = user_error(wrapped)
        assert sentence is not None
        assert sentence.startswith(f"{path or 'a file'} cannot be used ({os.strerror(number)})")
        assert "free space" in sentence
    assert user_error(OSError(errno.EBADF, "Bad file descriptor")) is None


@pytest.mark.parametrize("blocked", ["a file", "a folder", "a broken link", "a loop", "a name"])
def test_what_lies_in_the_way_is_a_sentence(blocked: str, tmp_path: Path) -> None:
    """A file where a folder belongs, a disk that is not mounted, a name too long."""
    place = tmp_path / ("x" * 300 if blocked == "a name" else "place")
    if blocked == "a file":
        place.touch()
    elif blocked == "a folder":
        (place / "lock").mkdir(parents=True)
    elif blocked in ("a broken link", "a loop"):
        place.symlink_to("nowhere" if blocked == "a broken link" else "place")
    with pytest.raises(OSError, match=str(place)) as caught:
        WorkspaceLock(place / "lock").acquire("kedro run")
    sentence = user_error(caught.value)
    assert sentence is not None
    assert str(place) in sentence
    assert "move away" in sentence


def test_a_setting_that_does_not_fit_is_one_sentence() -> None:
    """Name, value and complaint of each setting, once, however often a model was asked."""
    one = """1 validation error for TrainingParameters
lamda_cycle
  Extra inputs are not permitted [type=extra_forbidden, input_value=3, input_type=int]
    For further information visit https://errors.pydantic.dev/2.14/v/extra_forbidden"""
    sentence = sentence_of_validation(f"Parameter validation failed:\n- {one}\n- {one}")
    assert sentence == (
        "lamda_cycle is not a setting, did you mean lambda_cycle or lambda_cycle_final_share?"
        " (see conf/base/parameters*.yml for what is expected)"
    )
    assert sentence_of_validation("something\n else") == "something else"


UNWRITABLE: dict[str, Callable[[Path], object]] = {
    "a folder": lambda path: path.mkdir(),
    "a full disk": lambda path: path.symlink_to("/dev/full"),
    "a link to nowhere": lambda path: path.symlink_to(path.parent / "gone" / "log"),
    "a link to itself": lambda path: path.symlink_to(path),
}


@pytest.mark.parametrize("kind", UNWRITABLE)
def test_a_log_that_cannot_be_written_is_one_line(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """However many records there are; no traceback for each of them."""
    UNWRITABLE[kind](tmp_path / "a.log")
    handler = LogFile(tmp_path / "a.log")
    for number in range(5):
        handler.handle(logging.LogRecord("a", logging.INFO, "", 0, f"line {number}", (), None))
    handler.close()
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert "a.log cannot be written" in said.err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_every_terminal_shows_every_character(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its encoding lacks is shown as `?`; the command goes on."""
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(sys, stream, io.TextIOWrapper(io.BytesIO(), encoding))
    show_any_character()
    for stream in (sys.stdout, sys.stderr):
        stream.write("λ_p → 中 \N{PARTY POPPER} é \udcff")
        stream.flush()
        assert b"_p" in stream.buffer.getvalue()  # type: ignore[attr-defined]
