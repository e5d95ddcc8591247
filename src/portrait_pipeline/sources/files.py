"""Files of a source: described by one table."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import get_args

import pandas as pd

from portrait_pipeline.file_names import path_as_text, path_of_text
from portrait_pipeline.folders import ListedFile, find_files
from portrait_pipeline.pictures import ListingFault

COLUMNS = ("name", "path", "twin_path", "title", "artist", "date", "licence", "fault")


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
    """List all files below a folder, as `find_files` does, in one table.

    Args:
        folder: The folder to list.
        hint: What the person can do when it fails; ends the error's sentence.

    Raises:
        PortraitPipelineError: as `find_files` does.
    """
    return picture_table(
        {"name": file.name, "path": path_as_text(file.path), "fault": file.fault}
        for file in find_files(folder, hint)
    )
