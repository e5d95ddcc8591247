"""Laws of the luminance correlation: self, inversion, independence, flat pictures."""

import numpy as np
import pytest
import torch
from torch import Tensor

from portrait_pipeline.metrics.luminance_correlation import luminance_correlation

HOUSE = (-1.0, 1.0)


def noise(seed: int, size_px: int = 32) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(4, 3, size_px, size_px, generator=generator) * 2.0 - 1.0


def test_a_picture_with_itself_is_one_and_with_its_negative_minus_one() -> None:
    """Same shading is 1, also darker and with less contrast; inverted colours are -1."""
    a = noise(0)
    ones = pytest.approx([1.0] * 4, abs=1e-5)
    assert luminance_correlation(a, a, HOUSE).tolist() == ones
    assert luminance_correlation(a, 0.5 * a - 0.4, HOUSE).tolist() == ones
    assert (-luminance_correlation(a, -a, HOUSE)).tolist() == ones


def test_is_the_correlation_of_numpy() -> None:
    """It is Pearson's correlation of 0.299 R + 0.587 G + 0.114 B."""
    a = noise(1)
    b = (0.5 * a + 0.5 * noise(2)).contiguous()
    luma = np.array([0.299, 0.587, 0.114])
    expected = [
        np.corrcoef(np.tensordot(luma, x, 1).ravel(), np.tensordot(luma, y, 1).ravel())[0, 1]
        for x, y in zip(a.double().numpy(), b.double().numpy(), strict=True)
    ]
    assert luminance_correlation(a, b, HOUSE).tolist() == pytest.approx(expected, abs=1e-5)


def test_independent_pictures_do_not_correlate() -> None:
    """Independent noise lies near 0."""
    assert (luminance_correlation(noise(3, 128), noise(4, 128), HOUSE).abs() < 0.05).all()


def test_a_flat_picture_correlates_with_nothing() -> None:
    """One colour has 0, not a number that does not exist."""
    flat = torch.full((4, 3, 32, 32), 0.3)
    assert luminance_correlation(noise(5), flat, HOUSE).tolist() == [0.0] * 4
    assert luminance_correlation(flat, flat, HOUSE).tolist() == [0.0] * 4


def test_what_does_not_fit_is_refused() -> None:
    """Values outside the range and pictures without three channels raise."""
    a = noise(6)
    with pytest.raises(ValueError, match="expected data_range"):
        luminance_correlation(a, a * 3.0, HOUSE)
    with pytest.raises(ValueError, match="expected 3"):
        luminance_correlation(a[:, :1], a[:, :1], HOUSE)
