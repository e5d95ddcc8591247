"""Folders are listed completely and safely."""

import errno
import os
import socket
from pathlib import Path

import pandas as pd
import pytest

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.sources.files import COLUMNS, list_folder, listed_files, picture_table

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


def faults_of(folder: Path) -> dict[str, str | None]:
    """Return the fault of every listed file by its name."""
    table = list_folder(folder, HINT)
    return {
        str(row.name): None if pd.isna(row.fault) else str(row.fault)
        for row in table.itertuples(index=False)
    }


def test_no_link_vanishes(tmp_path: Path) -> None:
    """A link inside counts as its file; one that leads out or nowhere is a row with the reason."""
    make_files(tmp_path, "in/a.png", "in/album/b.png", "in/.thumbs/t.png", "out/secret.png")
    links = {
        "same.png": "a.png",
        "album/up.png": "../a.png",
        "hidden.png": ".thumbs/t.png",
        "out.png": tmp_path / "out/secret.png",
        "folder": tmp_path / "out",
        "thumbs": ".thumbs",
        "dangling.png": "nothing",
        "into_a_file.png": "a.png/b",
        "itself": "itself",
        "there": "back",
        "back": "there",
        "loop": tmp_path / "in",
        "album/loop": "..",
        "best": "album",
    }
    for name, target in links.items():
        (tmp_path / "in" / name).symlink_to(target)
    readable = ["a.png", "album/b.png", "album/up.png", "hidden.png", "same.png"]
    broken = ["back", "dangling.png", "into_a_file.png", "itself", "there"]
    assert faults_of(tmp_path / "in") == {
        **dict.fromkeys(readable),
        **dict.fromkeys(broken, "broken link"),
        **dict.fromkeys(["folder", "out.png"], "link out of the folder"),
        "thumbs": "not a file",
    }


def test_what_is_no_regular_file_is_a_row(tmp_path: Path) -> None:
    """Pipes, sockets and links to devices are named and never opened."""
    make_files(tmp_path, "a.png")
    os.mkfifo(tmp_path / "pipe.png")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "s.png"))
        (tmp_path / "zero.png").symlink_to("/dev/zero")
        found = faults_of(tmp_path)
    assert found == {
        "a.png": None,
        "pipe.png": "not a file",
        "s.png": "not a file",
        "zero.png": "link out of the folder",
    }


def test_listed_files_are_paths_or_reasons(tmp_path: Path) -> None:
    """Who reads a listing gets either a path that opens or why there is none."""
    make_files(tmp_path, "a.png")
    os.mkfifo(tmp_path / "b.png")
    files = listed_files(list_folder(tmp_path, HINT))
    assert files == [("a.png", tmp_path / "a.png"), ("b.png", "not a file")]


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


@pytest.mark.parametrize("name", [b"\xff.png", b"caf\xe9.jpg", "中".encode("gb2312")])
def test_a_name_that_is_no_unicode_is_a_file_all_the_same(tmp_path: Path, name: bytes) -> None:
    """It is shown with escapes, and its path in the table opens it."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.write_bytes(b"found")
    table = list_folder(tmp_path, HINT)
    assert "\\x" in str(table["name"].item())
    (shown, listed), *_ = listed_files(table)
    assert shown.encode()
    assert isinstance(listed, Path)
    assert listed.read_bytes() == b"found"


def test_two_files_that_would_be_shown_alike_are_refused(tmp_path: Path) -> None:
    """A byte and its escape in another name would be one row's name twice."""
    for name in (b"\xff.png", b"\\xff.png"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).touch()
    with pytest.raises(PortraitPipelineError, match="both shown as"):
        list_folder(tmp_path, HINT)


def test_unknown_is_na() -> None:
    """What a source does not know is NA, and names are text even when they look like numbers."""
    table = picture_table(
        [{"name": "2", "path": "/b", "title": "Self"}, {"name": "1", "path": "/a"}]
    )
    assert list(table["name"]) == ["1", "2"]
    assert table["title"].isna().tolist() == [True, False]
