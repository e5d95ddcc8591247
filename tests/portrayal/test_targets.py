"""The files of portraits: nothing that is there is replaced unasked, no photo ever."""

from pathlib import Path

import pytest
from PIL import Image

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.portrayal.targets import refuse_existing, write_numbered

PICTURE = Image.new("RGB", (4, 4))


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize("name", ["me.png", "../here/me.png", "link.png", "me_2.png"])
def test_a_photo_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, force: bool
) -> None:
    """However it is called, and whatever is allowed."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    photos = [Path("me.png"), Path("me_2.png")]
    for photo in photos:
        photo.touch()
    Path("link.png").symlink_to("me.png")
    target = Path("me.png" if name == "me_2.png" else name)
    given = photos[1:] if name == "me_2.png" else photos
    with pytest.raises(PortraitPipelineError, match="one of the photos"):
        refuse_existing([Path("new.png"), target], given, are_numbered=True, force=force)


@pytest.mark.parametrize("name", ["a.png", "a[1].png", "a*.png", "**.png"])
def test_numbered_files_of_any_name_are_found(tmp_path: Path, name: str) -> None:
    """Signs that mean something in a pattern mean themselves."""
    target = tmp_path / name
    refuse_existing([target], [], are_numbered=True, force=False)
    target.with_stem(f"{target.stem}_2").touch()
    refuse_existing([target], [], are_numbered=False, force=False)
    with pytest.raises(PortraitPipelineError, match=r"_2\.png is there already"):
        refuse_existing([target], [], are_numbered=True, force=False)


def test_one_picture_has_the_name_itself_and_several_have_numbers(tmp_path: Path) -> None:
    """From 1, and they are returned in their order."""
    assert list(write_numbered(tmp_path / "a.png", [PICTURE], force=False)) == [tmp_path / "a.png"]
    several = write_numbered(tmp_path / "a.png", [PICTURE, PICTURE], force=False)
    assert [place.name for place in several] == ["a_1.png", "a_2.png"]
    assert all(place.is_file() for place in several)


def test_the_pictures_of_a_photo_are_written_all_or_none(tmp_path: Path) -> None:
    """Where the second one fails, the first one is not left."""
    (tmp_path / "a_2.png").mkdir()
    with pytest.raises(PortraitPipelineError, match=r"a_2\.png"):
        write_numbered(tmp_path / "a.png", [PICTURE, PICTURE], force=True)
    assert [place.name for place in tmp_path.iterdir()] == ["a_2.png"]
