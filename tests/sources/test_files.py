"""Folders are listed completely and safely."""

import errno
import os
from pathlib import Path

import pytest

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.sources.files import COLUMNS, list_folder, picture_table

HINT = "give another folder"


def make_files(folder: Path, *names: str) -> None:
    """Make small files with these names."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_every_visible_file_is_listed(tmp_path: Path) -> None:
    """Files of any ending in any depth are rows, sorted by name; hidden ones are not."""
    make_files(tmp_path, "b.jpg", "a/x/c.TIFF", "a/notes.txt", ".hidden.png", ".git/d.png")
    table = list_folder(tmp_path, HINT)
    assert list(table["name"]) == ["a/notes.txt", "a/x/c.TIFF", "b.jpg"]
    assert list(table["path"]) == [str(tmp_path / name) for name in table["name"]]
    assert tuple(table.columns) == COLUMNS
    assert table[list(COLUMNS[2:])].isna().all(axis=None)


def test_links_lead_nowhere_else(tmp_path: Path) -> None:
    """A link inside the folder counts; links out of it, to folders or to nothing do not."""
    make_files(tmp_path, "in/a.png", "out/secret.png", "out/deep/b.png")
    (tmp_path / "in/same.png").symlink_to("a.png")
    (tmp_path / "in/out.png").symlink_to(tmp_path / "out/secret.png")
    (tmp_path / "in/folder").symlink_to(tmp_path / "out")
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    (tmp_path / "in/dangling.png").symlink_to("nothing")
    assert list(list_folder(tmp_path / "in", HINT)["name"]) == ["a.png", "same.png"]


def test_a_folder_given_as_a_link_is_listed(tmp_path: Path) -> None:
    """The folder itself may be a link."""
    make_files(tmp_path, "real/a.png")
    (tmp_path / "link").symlink_to("real")
    assert list(list_folder(tmp_path / "link", HINT)["name"]) == ["a.png"]


def test_missing_empty_and_file(tmp_path: Path) -> None:
    """A folder that is none is one sentence with the value and what fixes it."""
    make_files(tmp_path, "file.zip", "empty/.hidden")
    for name, what in {"none": "is not there", "file.zip": "is a file", "empty": "no file"}.items():
        with pytest.raises(PortraitPipelineError, match=f"{name} .*{what}.*{HINT}"):
            list_folder(tmp_path / name, HINT)


def test_unreadable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that may not be read is told, not passed over."""

    def refuse(folder: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", folder)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PortraitPipelineError, match=r"cannot be read \(Permission denied\)"):
        list_folder(tmp_path, HINT)


def test_names_that_no_table_can_hold(tmp_path: Path) -> None:
    """A file name that is not valid Unicode is told, not lost."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png")).write_bytes(b"x")
    with pytest.raises(PortraitPipelineError, match="not valid Unicode"):
        list_folder(tmp_path, HINT)


def test_unknown_is_na() -> None:
    """What a source does not know is NA, and names are text even when they look like numbers."""
    table = picture_table(
        [{"name": "2", "path": "/b", "title": "Self"}, {"name": "1", "path": "/a"}]
    )
    assert list(table["name"]) == ["1", "2"]
    assert table["title"].isna().tolist() == [True, False]
