"""Files of a source: listed safely and described by one table."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pandas as pd

from portrait_pipeline.errors import PortraitPipelineError

COLUMNS = ("name", "path", "twin_path", "title", "artist", "date", "licence")


def picture_table(rows: Iterable[Mapping[str, str | None]]) -> pd.DataFrame:
    """Make the table of a source from one mapping per picture; missing values are NA."""
    table = pd.DataFrame(list(rows), columns=list(COLUMNS), dtype="string")
    return table.sort_values("name", ignore_index=True)


def list_folder(folder: Path, hint: str) -> pd.DataFrame:
    """List all files below a folder that are not hidden, with any suffix.

    Links to folders are not followed, nor are links to files outside `folder`. The audit decides
    whether a file is a readable picture.

    Args:
        folder: The folder to list.
        hint: What the person can do when it fails; ends the error's sentence.

    Raises:
        PortraitPipelineError: if the folder is missing, unreadable or a file, holds no file at all,
            or a name in it is not valid Unicode.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "is not there"
        raise PortraitPipelineError(f"the folder {folder} {what}, expected pictures in it; {hint}")
    try:
        files = list(_visible_files(folder))
    except OSError as error:
        raise PortraitPipelineError(
            f"{error.filename} cannot be read ({error.strerror}), expected a folder; {hint}"
        ) from error
    if not files:
        raise PortraitPipelineError(f"the folder {folder} holds no file; {hint}")
    return picture_table(
        {"name": _name(path, folder), "path": os.path.abspath(path)} for path in files
    )


def _visible_files(folder: Path) -> Iterator[Path]:
    def stop(error: OSError) -> None:
        raise error

    root = folder.resolve()
    for parent, folders, names in os.walk(folder, onerror=stop):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent, name)
            inside = not path.is_symlink() or path.resolve().is_relative_to(root)
            if not name.startswith(".") and inside and path.is_file():
                yield path


def _name(path: Path, folder: Path) -> str:
    name = path.relative_to(folder).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise PortraitPipelineError(
            f"the file name {name!a} in {folder} is not valid Unicode; rename the file"
        ) from error
    return name
