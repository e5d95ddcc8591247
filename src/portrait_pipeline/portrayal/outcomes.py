"""What became of each photo that was to be portrayed, as rows and as lines for a terminal."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from portrait_pipeline.file_names import printable

MAX_LISTED = 40
COLUMNS = ("photo", "result", "faces", "files", "detail")
NOT_ALL_PORTRAYED = 3
"""Exit code when at least one photo could not be read or shows no face."""

Result = Literal["portrayed", "no face", "not read", "not written"]


@dataclass(frozen=True)
class Outcome:
    """The outcome for one file.

    Attributes:
        photo: The file, as the user named it.
        result: Whether there is a portrait and, if not, the reason.
        faces: Number of faces that were portrayed.
        files: Names of what was written, separated by spaces.
        detail: Why there is no portrait; for one that was portrayed the size in pixels.
    """

    photo: str
    result: Result
    faces: int = 0
    files: str = ""
    detail: str = ""


def describe(outcomes: Sequence[Outcome], out: Path) -> str:
    """Say what happened to each file, in lines that a terminal does not break."""
    left_out = [outcome for outcome in outcomes if outcome.result != "portrayed"]
    shown = outcomes if len(outcomes) <= MAX_LISTED else left_out[:MAX_LISTED]
    lines = [f"  {row.result:<12}{printable(row.photo)}{_details(row)}" for row in shown]
    unlisted = [] if len(outcomes) <= MAX_LISTED else left_out[MAX_LISTED:]
    if unlisted:
        counts = Counter(outcome.result for outcome in unlisted).most_common()
        each = ", ".join(f"{count} {result}" for result, count in counts)
        lines.append(f"  … and {len(unlisted)} more: {each}")
    num_done = len(outcomes) - len(left_out)
    lines.append(f"{num_done} of {len(outcomes)} photos portrayed, in {printable(str(out))}")
    return "\n".join(lines)


def _details(row: Outcome) -> str:
    if row.result == "portrayed":
        remarks = [f"{row.faces} faces"] if row.faces > 1 else []
        remarks += [printable(row.detail)] if row.detail else []
        return f" → {row.files}" + (f" ({', '.join(remarks)})" if remarks else "")
    return f": {printable(row.detail)}" if row.detail and row.detail != row.result else ""
