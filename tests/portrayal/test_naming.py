import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.portrayal.naming import PictureWriter

GREY = np.full((4, 4, 3), 128, dtype=np.uint8)


def test_nothing_is_overwritten_unless_asked(tmp_path: Path) -> None:
    """A file that is there stays as it is; with overwrite it is replaced."""
    (tmp_path / "a_portrait.png").write_bytes(b"mine")
    with pytest.raises(PortraitPipelineError, match="--force"):
        PictureWriter(tmp_path).write("a_portrait.png", GREY)
    assert (tmp_path / "a_portrait.png").read_bytes() == b"mine"
    path = PictureWriter(tmp_path, overwrite=True).write("a_portrait.png", GREY)
    assert np.array_equal(np.asarray(Image.open(path)), GREY)


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    """Overwriting replaces a link in the folder; what it pointed at stays as it is."""
    outside = tmp_path / "outside.png"
    outside.write_bytes(b"precious")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "a_portrait.png").symlink_to(outside)
    with pytest.raises(PortraitPipelineError, match="--force"):
        PictureWriter(folder).write("a_portrait.png", GREY)
    PictureWriter(folder, overwrite=True).write("a_portrait.png", GREY)
    assert outside.read_bytes() == b"precious"
    assert not (folder / "a_portrait.png").is_symlink()


def test_a_dangling_link_counts_as_there(tmp_path: Path) -> None:
    """A link to nowhere is no free name: writing through it would land outside."""
    (tmp_path / "a_portrait.png").symlink_to(tmp_path / ".." / "elsewhere.png")
    with pytest.raises(PortraitPipelineError, match="already"):
        PictureWriter(tmp_path).write("a_portrait.png", GREY)
    assert not (tmp_path.parent / "elsewhere.png").exists()


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "a/b.png", ".hidden.png", "a\0.png"])
def test_unsafe_names_are_refused(tmp_path: Path, name: str) -> None:
    """The writer itself takes plain names only, whoever calls it."""
    with pytest.raises((PortraitPipelineError, ValueError)):
        PictureWriter(tmp_path / "out", overwrite=True).write(name, GREY)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk refuses, neither the file nor a part of it is there."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", refuse)
    with pytest.raises(PortraitPipelineError, match="No space left"):
        PictureWriter(tmp_path).write("a.png", GREY)
    assert list(tmp_path.iterdir()) == []


def test_disks_without_hard_links_work_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a disk knows no hard links, a new file is written and an old one still kept."""

    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    PictureWriter(tmp_path).write("a.png", GREY)
    with pytest.raises(PortraitPipelineError, match="already"):
        PictureWriter(tmp_path).write("a.png", GREY)


def test_only_files_of_these_stems_are_in_the_way(tmp_path: Path) -> None:
    """Other people's files in the folder do not stop a run."""
    for name in ("a_portrait.png", "a_portrait_2.png", "ab_portrait.png", "a.png", "b_photo.png"):
        (tmp_path / name).touch()
    writer = PictureWriter(tmp_path)
    assert writer.would_overwrite(["a"], "portrait") == ["a_portrait.png", "a_portrait_2.png"]
    assert writer.would_overwrite([], "portrait") == []
    assert PictureWriter(tmp_path, overwrite=True).would_overwrite(["a"], "portrait") == []


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    """--out that is a file ends with a sentence."""
    (tmp_path / "out").touch()
    with pytest.raises(PortraitPipelineError, match="--out"):
        PictureWriter(tmp_path / "out")
