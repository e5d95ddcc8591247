"""Portraits in any size: the portrait's own colours, with the photo's edges where it has more."""

import numpy as np
import pytest
from PIL import Image
from support.ingestion import FACES, face_at

from portrait_pipeline.faces.crop import crop_face, crop_transform
from portrait_pipeline.portrayal.portrayer import PortrayedFace
from portrait_pipeline.portrayal.sizes import portrait_size_px
from portrait_pipeline.portrayal.sizing import enlarge, portrait_at_size
from portrait_pipeline.sample import draw_photo


def drawn(size_px: int) -> Image.Image:
    return Image.fromarray(draw_photo(3, 0, size_px).photo)


def portrayed(picture: Image.Image, edge: float) -> PortrayedFace:
    """A face in the middle of a picture, with a warmer and darker portrait."""
    face = face_at((picture.width - edge) / 2, (picture.height - edge) / 2, edge)
    square = crop_transform(face, FACES, picture.size)
    photo = crop_face(picture, square, 64)
    portrait = (photo * (0.9, 0.75, 0.5)).astype(np.uint8)
    return PortrayedFace(photo, face, square, {"proposed": portrait})


@pytest.mark.parametrize("size_px", [None, 16, 64, 100, 500, 1024])
def test_a_portrait_has_the_size_that_is_wanted(size_px: int | None) -> None:
    """Any size comes out, larger and smaller than model and photo; colours stay the portrait's."""
    picture = drawn(320)
    face = portrayed(picture, 200)
    pixels = portrait_at_size(picture, face, "proposed", size_px)
    expected = portrait_size_px(face.transform, size_px)
    assert pixels.shape == (expected, expected, 3)
    means = face.portraits["proposed"].mean(axis=(0, 1))
    assert pixels.mean(axis=(0, 1)) == pytest.approx(means, abs=1.5)


def test_the_size_of_the_model_is_the_portrait_itself() -> None:
    """Nothing is resampled where nothing has to be."""
    face = portrayed(drawn(320), 200)
    pixels = portrait_at_size(drawn(320), face, "proposed", 64)
    assert np.array_equal(pixels, face.portraits["proposed"])


def test_a_face_smaller_than_the_model_is_not_enlarged() -> None:
    """By default a face of 40 px gives 40 px, whatever the model painted."""
    picture = drawn(160)
    face = portrayed(picture, 30)
    assert len(portrait_at_size(picture, face, "proposed")) == portrait_size_px(face.transform) < 64


def test_edges_of_the_photo_sharpen_an_enlarged_portrait() -> None:
    """A portrait that follows its photo comes nearer to the same portrait of the large photo."""
    picture = drawn(640)
    face = portrayed(picture, 400)
    pixels = portrait_at_size(picture, face, "proposed", 512).astype(float)
    ideal = crop_face(picture, face.transform, 512) * (0.9, 0.75, 0.5)
    plain = np.asarray(
        Image.fromarray(face.portraits["proposed"]).resize((512, 512), Image.Resampling.LANCZOS)
    )
    assert np.abs(pixels - ideal).mean() < 0.75 * np.abs(plain - ideal).mean()


def test_texture_that_the_portrait_left_out_does_not_come_back() -> None:
    """Where the portrait is flat no detail of the photo is added; nor where it goes against it."""
    grey = np.random.default_rng(0).integers(0, 256, (256, 256, 1), dtype=np.uint8)
    noise = np.repeat(grey, 3, axis=2)
    small = np.asarray(Image.fromarray(noise).resize((64, 64), Image.Resampling.LANCZOS))
    flat = np.full((64, 64, 3), 120, dtype=np.uint8)
    assert (enlarge(flat, small, noise) == 120).all()
    against = 255 - small
    plain = Image.fromarray(against).resize((256, 256), Image.Resampling.LANCZOS)
    assert np.abs(enlarge(against, small, noise).astype(int) - np.asarray(plain)).max() <= 1
