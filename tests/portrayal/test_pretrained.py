"""Three lines from a photo to its portrait."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.picture_files import encoded

import portrait_pipeline
from portrait_pipeline import Portrayer
from portrait_pipeline.pictures import PictureError
from portrait_pipeline.portrayal.pretrained import NoFaceError
from portrait_pipeline.sample import draw_photo


@pytest.fixture(scope="module")
def portrayer(model_folder: Path) -> Portrayer:
    return Portrayer.pretrained(model_folder)


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    return Image.fromarray(draw_photo(0, 1, 256).photo)


def test_a_photo_is_painted_and_saved(
    portrayer: Portrayer, tmp_path: Path, photo: Image.Image
) -> None:
    """A path, bytes and a picture give the same portrait, in sRGB and without other metadata."""
    photo.save(tmp_path / "me.png")
    portraits = [
        portrayer.portray(given)
        for given in (
            tmp_path / "me.png",
            str(tmp_path / "me.png"),
            (tmp_path / "me.png").read_bytes(),
            photo,
        )
    ]
    for portrait in portraits[1:]:
        assert np.array_equal(np.asarray(portraits[0]), np.asarray(portrait))
    portraits[0].save(tmp_path / "painted.png")
    with Image.open(tmp_path / "painted.png") as saved:
        assert set(saved.info) == {"icc_profile"}


def test_the_size_is_that_of_the_face_or_the_one_asked_for(
    portrayer: Portrayer, photo: Image.Image
) -> None:
    """A face twice as large in its photo gives a portrait twice as large."""
    small = portrayer.portray(photo).width
    large = portrayer.portray(photo.resize((512, 512), Image.Resampling.LANCZOS)).width
    assert large == pytest.approx(2 * small, rel=0.05)
    assert portrayer.portray(photo, size_px=333).size == (333, 333)


def test_every_face_is_painted(portrayer: Portrayer, photo: Image.Image) -> None:
    """Two people beside one another are two portraits, and one photo when they are pasted back."""
    both = Image.new("RGB", (512, 256))
    for place in range(2):
        both.paste(Image.fromarray(draw_photo(place, 1, 256).photo), (256 * place, 0))
    assert len(portrayer.portray_all(both)) == 2
    pasted = portrayer.paste_back(both, faces="all")
    changed = np.abs(np.asarray(pasted).astype(int) - np.asarray(both)).max(axis=(0, 2)) > 0
    assert pasted.size == both.size
    assert changed[:256].any()
    assert changed[256:].any()


def test_what_cannot_be_painted_is_said(portrayer: Portrayer) -> None:
    """A photo without a face and a file that is no picture are different errors, each in words."""
    with pytest.raises(NoFaceError, match="no face to portray"):
        portrayer.portray(Image.new("RGB", (200, 200), "white"))
    with pytest.raises(PictureError, match="not an image"):
        portrayer.portray(b"no picture")


def test_the_package_offers_it_by_name() -> None:
    """And nothing that it does not have."""
    assert "Portrayer" in portrait_pipeline.__all__
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = portrait_pipeline.nothing_like_it  # type: ignore[attr-defined]


def test_a_picture_in_another_mode_is_taken(portrayer: Portrayer, photo: Image.Image) -> None:
    """Grey pictures in memory, and files in any mode."""
    assert portrayer.portray(photo.convert("L")).mode == "RGB"
    assert portrayer.portray(encoded(photo.convert("L"), "PNG")).mode == "RGB"
