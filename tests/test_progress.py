"""Progress bars, and the lines above them."""

import io
import logging

import pytest
from rich.console import Console

from portrait_pipeline import progress, shell


def test_a_log_line_under_a_bar_is_whole_and_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line longer than the terminal stands on a line of its own while a bar is drawn."""
    terminal = io.StringIO()
    monkeypatch.setenv("TERM", "xterm")  # a dumb one is drawn no bar
    monkeypatch.setattr(progress, "CONSOLE", Console(file=terminal, force_terminal=True, width=60))
    path = "data/" + "x" * 100
    handler = logging.StreamHandler(progress.LINES)
    with progress.progress_bar("training", 10) as bar:
        bar.advance(3)
        handler.emit(logging.LogRecord("a", logging.INFO, "", 0, path, None, None))
    assert f"\x1b[2K{path}\n" in terminal.getvalue()


@pytest.mark.parametrize("indent", ["", "        "])
def test_a_long_line_is_broken_between_words(indent: str) -> None:
    """Law: no line is longer than 80 characters, no word is lost, and a path stays whole."""
    words = ["Identity", "(the judge's similarity)", "−0.066", "data/" + "x" * 60] * 4
    folded = shell.fold(indent + " ".join(words))
    assert max(map(len, folded.splitlines())) <= 80
    assert folded.split() == " ".join(words).split()
    assert all(line.startswith(f"{indent}  ") for line in folded.splitlines()[1:])
    assert shell.fold("data/" + "x" * 100) == "data/" + "x" * 100
    assert shell.fold("short\n") == "short\n"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (4.2, "4 s"),
        (99, "99 s"),
        (150, "2 min"),
        (3600, "60 min"),
        (20_000, "5.6 h"),
        (1.2e6, "14 days"),
    ],
)
def test_a_duration_is_written_as_a_person_says_it(seconds: float, words: str) -> None:
    """Law: one number and the unit that fits."""
    assert progress.in_words(seconds) == words


def test_a_note_beside_a_bar_gives_way_in_whole_parts() -> None:
    """Where the terminal is narrow, names go with their numbers; no number is ever cut."""
    note = "· generators 39.68 discriminators 0.18 cycle 0.90"
    assert progress.shorten_note(note, 60) == note
    assert progress.shorten_note(note, 40) == "· generators 39.68 discriminators 0.18"
    assert progress.shorten_note(note, 0) == progress.shorten_note("", -20) == ""
    assert progress.shorten_note(note, -3) == progress.shorten_note("", -3) == ""  # no room at all


def test_nothing_is_drawn_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a file or a pipe a bar leaves no trace, and the items pass unchanged."""
    output = io.StringIO()
    monkeypatch.setattr(progress, "CONSOLE", Console(file=output, force_terminal=False))
    assert list(progress.track(iter("abc"), "counting", 3)) == ["a", "b", "c"]
    assert output.getvalue() == ""
