"""A folder as a dataset."""

from pathlib import Path

import pytest
from kedro.io import DatasetError

from portrait_pipeline.datasets.folder import FolderDataset


def test_the_folder_is_made_when_it_is_asked_for(tmp_path: Path) -> None:
    """Loading returns a folder that exists, and what is in it stays."""
    dataset = FolderDataset(path=str(tmp_path / "a/b"))
    folder = dataset.load()
    assert folder.is_dir()
    (folder / "kept").touch()
    assert (dataset.load() / "kept").exists()


def test_nothing_can_be_saved_as_a_folder(tmp_path: Path) -> None:
    """A node writes below the folder; the folder itself is an input only."""
    with pytest.raises(DatasetError, match="not allowed"):
        FolderDataset(path=str(tmp_path)).save(None)
