"""Files of a source: listed safely and described by one table."""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import pandas as pd

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.file_names import name_as_text, path_as_text, path_of_text
from portrait_pipeline.pictures import ListingFault

COLUMNS = ("name", "path", "twin_path", "title", "artist", "date", "licence", "fault")

ListedFile = tuple[str, Path | ListingFault]
"""What the user calls a file, and its path, or why it is not opened."""


def picture_table(rows: Iterable[Mapping[str, str | None]]) -> pd.DataFrame:
    """Make the table of a source from one mapping per picture; missing values are NA."""
    table = pd.DataFrame(list(rows), columns=list(COLUMNS), dtype="string")
    return table.sort_values("name", ignore_index=True)


def listed_files(table: pd.DataFrame) -> list[ListedFile]:
    """Return name and path of every picture of a source, or why it is not opened."""
    known: dict[object, ListingFault] = {fault: fault for fault in get_args(ListingFault)}
    faults = [known.get(text) for text in table.get("fault", [None] * len(table))]
    rows = zip(table["name"], table["path"], faults, strict=True)
    return [(str(name), fault or path_of_text(str(path))) for name, path, fault in rows]


def list_folder(folder: Path, hint: str) -> pd.DataFrame:
    """List all files below a folder that are not hidden, with any suffix.

    A link to a file inside `folder` counts as that file. A link to a folder inside is passed over,
    since the files there are listed in their own place. A link that leads out of `folder` or
    nowhere, and what is no regular file, is a row with its `fault` and is never opened. Whether a
    file is a readable picture is for the audit to say.

    Args:
        folder: The folder to list.
        hint: What the person can do when it fails; ends the error's sentence.

    Raises:
        PortraitPipelineError: if the folder is missing, unreadable or a file, or holds no file.
    """
    check_folder(folder, hint)
    root = os.path.realpath(folder)
    with _unreadable_told(hint):
        files = [(path, _fault(path, root)) for path in _visible_files(folder, root)]
    table = picture_table(
        {
            "name": name_as_text(path.relative_to(folder).as_posix()),
            "path": path_as_text(path),
            "fault": fault,
        }
        for path, fault in files
    )
    return _refuse_equal_names(table, folder, hint)


def check_folder(folder: Path, hint: str) -> None:
    """Refuse a folder in which there is nothing to list; stops at the first file.

    Raises:
        PortraitPipelineError: if the folder is missing, unreadable or a file, or holds no file.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "is not there"
        raise PortraitPipelineError(f"the folder {folder} {what}, expected pictures in it; {hint}")
    with _unreadable_told(hint):
        first = next(_visible_files(folder, os.path.realpath(folder)), None)
    if first is None:
        raise PortraitPipelineError(f"the folder {folder} holds no file; {hint}")


@contextmanager
def _unreadable_told(hint: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PortraitPipelineError(
            f"{error.filename} cannot be read ({error.strerror}), expected a folder; {hint}"
        ) from error


def _visible_files(folder: Path, root: str) -> Iterator[Path]:
    """Walk through the folders; links to folders whose files are not met on the way are yielded."""

    def stop(error: OSError) -> None:
        raise error

    for parent, folders, names in os.walk(folder, onerror=stop):
        visible = [Path(parent, name) for name in folders if not name.startswith(".")]
        links = [path for path in visible if path.is_symlink()]
        folders[:] = [path.name for path in visible if path not in links]
        yield from (path for path in links if not _is_visible_inside(path, root))
        yield from (Path(parent, name) for name in names if not name.startswith("."))


def _is_visible_inside(path: Path, root: str) -> bool:
    """Tell whether a path leads to `root` or below it without passing a hidden folder."""
    target = Path(os.path.realpath(path))
    if not target.is_relative_to(root):
        return False
    return not any(part.startswith(".") for part in target.relative_to(root).parts)


def _fault(path: Path, root: str) -> ListingFault | None:
    """Say why a file is not opened; unlike `Path.resolve`, a loop of links is no error here."""
    if not os.path.exists(path):
        return "broken link"
    if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
        return "link out of the folder"
    return None if stat.S_ISREG(path.stat().st_mode) else "not a file"


def _refuse_equal_names(table: pd.DataFrame, folder: Path, hint: str) -> pd.DataFrame:
    """Refuse two files of which a table shows the same name: bytes, and their escapes."""
    equal = table["name"][table["name"].duplicated()]
    if len(equal):
        raise PortraitPipelineError(
            f"two files in {folder} are both shown as {equal.iloc[0]!r}, expected names that differ"
            f" in Unicode: rename one; {hint}"
        )
    return table
