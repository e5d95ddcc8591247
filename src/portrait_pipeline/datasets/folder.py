"""A folder as a dataset: for what a node makes many of, below a path that it does not know."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset


class FolderDataset(AbstractDataset[None, Path]):
    """Hands a node the path of a folder, which is made when it is not there."""

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(path)
        self.metadata = metadata

    def load(self) -> Path:
        """Return the folder's path; it exists."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def save(self, data: None) -> None:
        """Refuse: nodes write below the folder that they were handed."""
        raise TypeError("a folder is an input only")

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder)}
