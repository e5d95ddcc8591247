"""Datasets for a folder of photos and a folder for portraits."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from portrait_pipeline.folders import ListedFile, find_files
from portrait_pipeline.portrayal.naming import PictureWriter


class PhotoFolderDataset(AbstractDataset[None, list[ListedFile]]):
    """Loads as name and path (or why it is not opened) of every file below a folder.

    Args:
        path: The folder.
        hint: What a person can do when it is not there; ends the error's sentence.
    """

    def __init__(self, *, path: str, hint: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder, self._hint = Path(path), hint
        self.metadata = metadata

    def load(self) -> list[ListedFile]:
        """List the files."""
        return [file.listed for file in find_files(self._folder, self._hint)]

    def save(self, data: None) -> None:
        """Refuse to save: photos are an input only."""
        raise TypeError("a folder of photos is an input only")

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder)}


class PortraitFolderDataset(AbstractDataset[None, PictureWriter]):
    """Loads as a writer of pictures into one folder.

    Args:
        path: The folder; made when it is not there.
        overwrite: Whether files that are there are replaced.
    """

    def __init__(
        self, *, path: str, overwrite: bool = True, metadata: dict[str, Any] | None = None
    ) -> None:
        self._folder, self._overwrite = Path(path), overwrite
        self.metadata = metadata

    def load(self) -> PictureWriter:
        """Return the writer."""
        return PictureWriter(self._folder, self._overwrite)

    def save(self, data: None) -> None:
        """Refuse to save: nodes write through the writer that they get as an input."""
        raise TypeError("a folder of portraits is written through its writer")

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder)}
