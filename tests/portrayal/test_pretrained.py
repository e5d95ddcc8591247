"""Three lines from a photo to its portrait."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image
from support.picture_files import encoded

import portrait_pipeline
from portrait_pipeline import Portrayer
from portrait_pipeline.errors import PortraitPipelineError
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


@pytest.mark.parametrize("mode", ["I;16", "I", "F", "RGBA", "P", "CMYK"])
def test_a_picture_means_what_its_file_means(
    portrayer: Portrayer, tmp_path: Path, photo: Image.Image, mode: str
) -> None:
    """Deep grey, transparency and inks count in memory as they do in a file."""
    grey = np.asarray(photo.convert("L"))
    deep = {
        "I;16": grey.astype(np.uint16) * 257,
        "I": grey.astype(np.int32) * 257,
        "F": grey.astype(np.float32) / 255,
    }
    made = Image.fromarray(deep[mode]) if mode in deep else photo.convert(mode)
    made.save(tmp_path / "me.tif")
    with Image.open(tmp_path / "me.tif") as opened:
        in_memory = portrayer.portray(opened, size_px=64)
    by_path = portrayer.portray(tmp_path / "me.tif", size_px=64)
    assert np.array_equal(np.asarray(in_memory), np.asarray(by_path))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_that_lies_on_its_side_is_turned(
    portrayer: Portrayer, photo: Image.Image, kind: str
) -> None:
    """By its EXIF, as in a file."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    content = encoded(photo.transpose(Image.Transpose.ROTATE_90), kind, exif=exif)
    of_bytes = np.asarray(portrayer.portray(content, size_px=64))
    in_memory = portrayer.portray(Image.open(io.BytesIO(content)), size_px=64)
    assert np.array_equal(of_bytes, np.asarray(in_memory))


@pytest.mark.parametrize("size_px", [0, True, 31, 1025, -1, 10**9, "64", 64.5, float("nan")])
def test_an_impossible_size_is_refused(
    portrayer: Portrayer, photo: Image.Image, size_px: Any
) -> None:
    """With the value and the range, before anything is painted."""
    for paint in (portrayer.portray, portrayer.portray_all):
        with pytest.raises(PortraitPipelineError, match=f"{size_px!r}, expected .* 32 to 1024"):
            paint(photo, size_px=size_px)


def test_what_is_no_photo_or_choice_is_refused(portrayer: Portrayer, photo: Image.Image) -> None:
    """Arrays and streams are no photos; a choice is one of two."""
    for given in (np.zeros((8, 8, 3), np.uint8), None, io.BytesIO(b"x")):
        with pytest.raises(PortraitPipelineError, match=type(given).__name__):
            portrayer.portray(given)  # type: ignore[arg-type]
    with pytest.raises(PortraitPipelineError, match="'ALL'"):
        portrayer.paste_back(photo, faces="ALL")  # type: ignore[arg-type]


def test_a_picture_whose_file_is_cut_off_is_said(portrayer: Portrayer, photo: Image.Image) -> None:
    """It is opened, and found to be cut off when its pixels are read."""
    content = encoded(photo, "PNG")
    with pytest.raises(PictureError, match="the photo"):
        portrayer.portray(Image.open(io.BytesIO(content[: len(content) // 2])))
