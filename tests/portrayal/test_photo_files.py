"""What the commands take: files, folders, links and strange names; and what they say of them."""

import os
from pathlib import Path

import pytest

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.portrayal.outcomes import Outcome, describe
from portrait_pipeline.portrayal.photo_files import find_photos


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_photo_in_the_folder_of_the_portraits_counts(tmp_path: Path) -> None:
    """A photo named by itself is portrayed wherever the portraits go."""
    photo = tmp_path / "pics/me.jpg"
    touch(photo)
    assert find_photos([photo], tmp_path / "pics") == [(str(photo), photo)]


def test_portraits_of_an_earlier_call_are_no_photos(tmp_path: Path) -> None:
    """Files in --out below a folder of photos are passed over; it is said where none is left."""
    touch(tmp_path / "pics/a.jpg", tmp_path / "pics/out/a_portrait.png")
    (tmp_path / "out").symlink_to("pics/out")
    for out in ("pics/out", "out"):
        found = find_photos([tmp_path / "pics"], tmp_path / out)
        assert [name for name, _ in found] == ["a.jpg"]
    (tmp_path / "pics/a.jpg").unlink()
    with pytest.raises(PortraitPipelineError, match="no photo outside of --out"):
        find_photos([tmp_path / "pics"], tmp_path / "pics/out")
    with pytest.raises(PortraitPipelineError, match="expected another folder"):
        find_photos([tmp_path / "pics"], tmp_path / "pics")


def test_links_out_of_a_folder_are_rows_and_named_links_are_photos(tmp_path: Path) -> None:
    """The person may name a link; a folder may not name files elsewhere for them."""
    touch(tmp_path / "elsewhere/a.jpg", tmp_path / "pics/b.jpg")
    link = tmp_path / "pics/link.jpg"
    link.symlink_to(tmp_path / "elsewhere/a.jpg")
    assert dict(find_photos([tmp_path / "pics"], tmp_path / "out"))["link.jpg"] == (
        "link out of the folder"
    )
    assert find_photos([link], tmp_path / "out") == [(str(link), link)]


@pytest.mark.parametrize(
    "name", [b"a\x1b[2J.jpg", b"a\r.jpg", b"a\nb.jpg", b"\xff.jpg", b"\xc2\x9b.jpg"]
)
def test_names_do_not_command_the_terminal(tmp_path: Path, name: bytes) -> None:
    """Whatever a file is called, its line is one line that can be printed."""
    photo = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    touch(photo)
    (shown, _), *_ = find_photos([photo], tmp_path / "out")
    row = Outcome(shown, "not read", detail="bad \x1b[31m")
    lines = describe([row], tmp_path / "out").split("\n")
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)


def test_ten_thousand_photos_without_a_face_fill_one_screen(tmp_path: Path) -> None:
    """The first ones are listed, the others counted by what became of them."""
    rows = [
        Outcome(f"{row}.jpg", result) for row in range(5000) for result in ("no face", "not read")
    ]
    lines = describe(rows, tmp_path).split("\n")
    assert len(lines) <= 45
    assert lines[-2] == "  … and 9960 more: 4980 no face, 4980 not read"
    assert lines[-1].startswith("0 of 10000 photos portrayed")
