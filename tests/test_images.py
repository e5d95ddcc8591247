"""The image convention: uint8 pixels in [0, 255] and float images in [-1, 1]."""

import numpy as np
import pytest
import torch

from portrait_pipeline.images import FaceSet, to_model_range, to_pixels


def _faces(count: int = 4) -> FaceSet:
    pixels = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    return FaceSet(tuple("abcdefgh"[:count]), pixels)


def test_every_pixel_value_survives_the_way_there_and_back() -> None:
    """The two conversions are exact inverses for all 256 values."""
    values = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    np.testing.assert_array_equal(to_pixels(to_model_range(values)), values)


def test_the_ends_of_the_range() -> None:
    """0 becomes -1 and 255 becomes 1; colours go from the last axis to the second."""
    pixels = np.zeros((1, 2, 3, 3), np.uint8)
    pixels[..., 1] = 255
    images = to_model_range(pixels)
    assert images.shape == (1, 3, 2, 3)
    assert images.dtype == torch.float32
    assert images[:, 0].unique().tolist() == [-1.0]
    assert images[:, 1].unique().tolist() == [1.0]


def test_values_outside_are_clipped() -> None:
    """What a network puts beyond [-1, 1] becomes 0 or 255, and never wraps around."""
    images = torch.tensor([-3.0, 3.0]).reshape(1, 1, 1, 2).repeat(1, 3, 1, 1)
    np.testing.assert_array_equal(to_pixels(images)[0, 0, :, 0], [0, 255])


def test_a_subset_shares_the_pixels() -> None:
    """Named crops come in the order given, as a view on the same memory."""
    faces = _faces()
    chosen = faces.subset(["d", "b"])
    assert chosen.names == ("d", "b")
    assert chosen.pixels is faces.pixels
    np.testing.assert_array_equal(chosen[[0, 1]][:, 0, 0, 0], [3, 1])
    np.testing.assert_array_equal(chosen.subset(["b"])[0], faces[1])
    assert (len(chosen), chosen.size_px) == (2, 2)


def test_names_fit_the_set() -> None:
    """An unknown name and a wrong number of rows are refused."""
    with pytest.raises(KeyError, match="z"):
        _faces().subset(["z"])
    with pytest.raises(ValueError, match="2 names for 3 rows"):
        FaceSet(("a", "b"), np.zeros((3, 2, 2, 3), np.uint8), np.arange(3))
