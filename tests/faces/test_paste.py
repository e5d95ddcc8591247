"""Pasting back is the inverse of cropping, with a soft edge."""

import numpy as np
import pytest
from PIL import Image

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.crop import CropTransform, crop_face
from portrait_pipeline.faces.paste import edge_opacity, paste_back

WHITE = np.full((64, 64, 3), 255, dtype=np.uint8)


def smooth_picture() -> Image.Image:
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((320, 240), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("angle", [0.0, 17.0, 90.0, -140.0])
@pytest.mark.parametrize(("edge", "size"), [(100.0, 100), (120.0, 256), (90.0, 80)])
def test_a_crop_pasted_back_leaves_the_picture_as_it_was(
    angle: float, edge: float, size: int
) -> None:
    """Cropping and pasting the crop back changes a smooth picture by next to nothing."""
    picture = smooth_picture()
    transform = CropTransform(150.3, 121.7, edge, angle)
    pasted = paste_back(picture, crop_face(picture, transform, size), transform)
    difference = np.abs(np.asarray(pasted).astype(int) - np.asarray(picture))
    assert difference.max() <= 12
    assert difference.mean() < 0.5


@pytest.mark.parametrize("angle", [0.0, 33.0])
def test_a_mark_on_the_portrait_lands_where_the_transform_says(angle: float) -> None:
    """A dot at a point of the portrait is found at `to_source` of that point."""
    columns, rows = np.meshgrid(np.arange(128) + 0.5, np.arange(128) + 0.5)
    dot = np.hypot(columns - 80, rows - 50) < 9
    portrait = np.repeat((dot * 255).astype(np.uint8)[..., None], 3, axis=2)
    transform = CropTransform(150.0, 110.0, 100.0, angle)
    pasted = np.asarray(paste_back(Image.new("RGB", (300, 220)), portrait, transform), dtype=float)
    weight = pasted[..., 0]
    rows, columns = np.indices(weight.shape) + 0.5
    found = ((columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum())
    assert found == pytest.approx(
        tuple(transform.to_source(np.array([[80.0, 50.0]]), 128)[0]), abs=0.1
    )


def test_nothing_outside_the_square_changes() -> None:
    """Pixels whose centre lies outside the square keep their values exactly."""
    picture = smooth_picture()
    transform = CropTransform(150.0, 110.0, 80.0, 25.0)
    pasted = np.asarray(paste_back(picture, WHITE, transform))
    outside = edge_opacity(transform, (0, 0, 320, 240), 0.1, (320, 240)) == 0.0
    assert outside.any()
    assert np.array_equal(pasted[outside], np.asarray(picture)[outside])


def test_the_edge_is_soft_and_the_middle_whole() -> None:
    """Opacity rises from 0 at the edge to 1 at the feather without a step, and stays 1 inside."""
    transform = CropTransform(50.0, 50.0, 80.0)
    middle_row = edge_opacity(transform, (0, 0, 100, 100), 0.25, (100, 100))[50]
    assert (middle_row[:10] == 0).all()
    assert (middle_row[30:70] == 1).all()
    assert (np.diff(middle_row[:50]) >= 0).all()
    assert np.diff(middle_row).max() < 0.08


def test_a_hard_edge_is_all_or_nothing() -> None:
    """Without a feather every pixel of the square is the portrait's."""
    pasted = np.asarray(
        paste_back(Image.new("RGB", (40, 40)), WHITE, CropTransform(20, 20, 20), None, 0)
    )
    assert (pasted[10:30, 10:30] == 255).all()
    assert pasted.sum() == 20 * 20 * 3 * 255


def test_a_square_beyond_the_border_pastes_what_fits() -> None:
    """The part of the square that leaves the picture is dropped; far outside nothing happens."""
    picture = smooth_picture()
    transform = CropTransform(0.0, 0.0, 100.0, 30.0)
    pasted = paste_back(picture, crop_face(picture, transform, 100), transform)
    assert np.abs(np.asarray(pasted).astype(int) - np.asarray(picture)).max() <= 12
    far = paste_back(picture, WHITE, CropTransform(-500.0, 0.0, 100.0))
    assert np.array_equal(far, picture)


def test_a_feather_that_is_no_share_is_refused() -> None:
    """The feather is a share of at most a half; the sentence names the value."""
    with pytest.raises(PortraitPipelineError, match=r"feather is 0\.7"):
        paste_back(smooth_picture(), WHITE, CropTransform(20, 20, 20), None, 0.7)
