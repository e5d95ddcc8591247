"""A folder as a dataset, for nodes that write many files and know no path."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset


class FolderDataset(AbstractDataset[None, Path]):
    """Gives a node the path of a folder, which is created if it is missing."""

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(path)
        self.metadata = metadata

    def load(self) -> Path:
        """Return the folder's path; it exists."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def save(self, data: None) -> None:
        """Refuse to save: nodes write into the folder that they get as an input."""
        raise TypeError("a folder is an input only")

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder)}
