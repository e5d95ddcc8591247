"""The fixed crop: the right window, resampled as a picture library would, gradients through."""

import numpy as np
import pytest
import torch
from PIL import Image

from portrait_pipeline.identity.fixed_crop import FaceWindow, FixedCrop, resampling_weights

WINDOW = FaceWindow(wide=0.9, high=0.9, lower=0.1, size_px=40)


@pytest.mark.parametrize("size_px", [31, 64, 200])
def test_agrees_with_pillow(size_px: int) -> None:
    """Enlarging and shrinking, the window is what Pillow's antialiased bicubic makes of the box."""
    values = np.random.default_rng(0).random((size_px, size_px), dtype=np.float32)
    crop = FixedCrop(left=0.13, top=0.21, wide=0.61, high=0.55, size_px=40)
    box = tuple(edge * size_px for edge in (0.13, 0.21, 0.13 + 0.61, 0.21 + 0.55))
    expected = np.asarray(Image.fromarray(values).resize((40, 40), Image.Resampling.BICUBIC, box))
    images = torch.from_numpy(values).expand(1, 3, -1, -1)
    assert np.abs(crop(images)[0, 0].numpy() - expected).max() < 1e-4


def test_the_window_is_the_same_part_of_the_face_at_any_margin() -> None:
    """At margin m a crop is 1 + m boxes wide, so a window of 0.9 boxes is 0.9 / (1 + m) of it."""
    for margin in (0.2, 0.35, 1.0):
        crop = WINDOW.in_crops(margin)
        assert crop.wide * (1 + margin) == pytest.approx(0.9)
        centre_in_boxes = (crop.top + crop.high / 2 - 0.5) * (1 + margin)
        assert centre_in_boxes == pytest.approx(0.1)
        assert crop.left + crop.wide / 2 == pytest.approx(0.5)


def test_a_window_larger_than_the_crop_is_cut_to_it() -> None:
    """With no margin there is less of the head than the network wants, and the rest is given up."""
    crop = FaceWindow(wide=1.2, high=0.95, lower=0.2, size_px=8).in_crops(0.0)
    assert (crop.left, crop.wide) == (0.0, 1.0)
    assert crop.top + crop.high == pytest.approx(1.0)


def test_a_negative_margin_is_refused() -> None:
    """A crop is never smaller than the box that it was cut around."""
    with pytest.raises(ValueError, match=r"margin is -0\.1"):
        WINDOW.in_crops(-0.1)


def test_rows_sum_to_one() -> None:
    """A flat picture stays flat, at the edges too."""
    weights = resampling_weights(64, 0.0, 64.0, 150, torch.device("cpu"))
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(150))


def test_weights_made_without_gradients_serve_training() -> None:
    """What was first used in inference mode may be differentiated through later."""
    crop = WINDOW.in_crops()
    with torch.inference_mode():
        crop(torch.zeros(1, 3, 48, 48))
    images = torch.zeros(1, 3, 48, 48, requires_grad=True)
    crop(images).sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0
