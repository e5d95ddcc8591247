"""L1 and PSNR against values worked out by hand."""

import math

import pytest
import torch

from portrait_pipeline.metrics.l1_error import l1_error
from portrait_pipeline.metrics.psnr import psnr

HOUSE = (-1.0, 1.0)


def test_l1_is_the_mean_absolute_difference_of_each_pair() -> None:
    """A difference of 0.5 everywhere is 0.5; black against white is 2, the largest there is."""
    black = torch.full((2, 3, 8, 8), -1.0)
    other = torch.stack([torch.full((3, 8, 8), -0.5), torch.full((3, 8, 8), 1.0)])
    assert l1_error(black, other, HOUSE).tolist() == [0.5, 2.0]


def test_psnr_by_hand() -> None:
    """A difference of a tenth of the range is 20 dB, in whatever range."""
    a = torch.full((1, 3, 8, 8), -0.5)
    assert psnr(a, a + 0.2, HOUSE).tolist() == pytest.approx([20.0], abs=1e-4)
    assert psnr(a + 0.5, a + 0.6, 1.0).tolist() == pytest.approx([20.0], abs=1e-4)


def test_the_same_picture_has_no_error_and_a_finite_psnr() -> None:
    """A picture against itself: L1 0 and the PSNR of 8-bit rounding, 10 log10(12 · 255²)."""
    a = torch.zeros(3, 3, 8, 8)
    assert l1_error(a, a, HOUSE).tolist() == [0.0] * 3
    ceiling = 10.0 * math.log10(12.0 * 255.0**2)
    assert psnr(a, a, HOUSE).tolist() == pytest.approx([ceiling] * 3, abs=1e-4)


def test_both_are_symmetric() -> None:
    """Which picture comes first does not matter."""
    generator = torch.Generator().manual_seed(0)
    a, b = torch.rand(2, 4, 3, 8, 8, generator=generator) * 2.0 - 1.0
    for metric in (l1_error, psnr):
        torch.testing.assert_close(metric(a, b, HOUSE), metric(b, a, HOUSE))


@pytest.mark.parametrize("metric", [l1_error, psnr])
def test_what_does_not_fit_is_refused(metric) -> None:
    """Values outside the declared range and shapes that differ raise."""
    a = torch.zeros(1, 3, 8, 8)
    with pytest.raises(ValueError, match="expected data_range"):
        metric(a, a + 1.5, HOUSE)
    with pytest.raises(ValueError, match="expected the same"):
        metric(a, torch.zeros(2, 3, 8, 8), HOUSE)
