"""Progress bars and the lines above them, on a terminal only."""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from portrait_pipeline.file_names import printable_lines
from portrait_pipeline.shell import fold

BAR_WIDTH = 24

Item = TypeVar("Item")

CONSOLE = Console(stderr=True)
"""The console of the bars; it prints lines above a visible bar."""


class Bar(Protocol):
    """The part of a progress bar that a worker uses."""

    def advance(self, count: int = 1, note: str = "") -> None:
        """Move on by `count` items and show `note` behind the bar."""


class _RichBar:
    def __init__(self, progress: Progress, description: str, total: int, completed: int) -> None:
        self._progress = progress
        self._task = progress.add_task(description, total=total, completed=completed, note="")
        self._room = CONSOLE.width - len(description) - 2 * len(str(total)) - BAR_WIDTH - 33

    def advance(self, count: int = 1, note: str = "") -> None:
        self._progress.update(self._task, advance=count, note=shorten_note(note, self._room))


def shorten_note(note: str, room: int) -> str:
    """Drop names with their numbers from the end until the note fits beside the bar."""
    words = note.split()
    while words and len(" ".join(words)) > room:
        words = words[:-2]
    return " ".join(words) if len(words) > 1 else ""


@contextmanager
def progress_bar(description: str, total: int, completed: int = 0) -> Iterator[Bar]:
    """Show a bar with the time left while the block runs, then remove it.

    Writes to standard error; draws nothing if that is not a terminal.
    """
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(bar_width=BAR_WIDTH),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("·"),
        TimeRemainingColumn(),
        TextColumn("left {task.fields[note]}"),
    )
    with Progress(
        *columns, console=CONSOLE, transient=True, disable=not CONSOLE.is_terminal
    ) as progress:
        yield _RichBar(progress, description, total, completed)


def track(items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
    """Yield the items while a bar counts them."""
    with progress_bar(description, total) as bar:
        for item in items:
            yield item
            bar.advance()


def in_words(seconds: float) -> str:
    """Return a duration as a person says it: 40 s, 12 min, 5.5 h, 14 days."""
    for length, unit, digits in ((86400, "days", 0), (3600, "h", 1), (60, "min", 0)):
        if seconds >= 2 * length or (unit == "min" and seconds >= 100):
            return f"{seconds / length:.{digits}f} {unit}"
    return f"{seconds:.0f} s"


class LineStream(io.TextIOBase):
    """A stream for log handlers that writes above the progress bar, if there is one.

    A line is broken between words at most, so that paths can be copied.
    """

    def write(self, text: str, /) -> int:
        """Print a text to standard error; control codes in it, from names of files, do nothing."""
        shown = fold(printable_lines(text))
        CONSOLE.print(shown, end="", soft_wrap=True, markup=False, highlight=False, emoji=False)
        return len(text)


LINES = LineStream()
