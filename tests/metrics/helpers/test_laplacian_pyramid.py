"""Laws of the Laplacian pyramid: sizes, and nothing lost."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from portrait_pipeline.metrics.helpers.laplacian_pyramid import laplacian_pyramid


def pictures(height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, 3, height, width, generator=generator) * 2.0 - 1.0


def test_levels_halve_down_to_sixteen_pixels() -> None:
    """From full size each level is half as large, and none is below 16 px."""
    assert [level.shape[-1] for level in laplacian_pyramid(pictures(128, 128))] == [128, 64, 32, 16]
    assert [level.shape[-1] for level in laplacian_pyramid(pictures(100, 100))] == [100, 50, 25]
    assert [level.shape[-1] for level in laplacian_pyramid(pictures(16, 16))] == [16]


@pytest.mark.parametrize("size", [(64, 64), (50, 70)])
def test_the_levels_hold_the_whole_picture(size: tuple[int, int]) -> None:
    """Enlarging the coarsest level and adding detail after detail gives the picture back."""
    images = pictures(*size)
    *details, rebuilt = laplacian_pyramid(images)
    for detail in reversed(details):
        rebuilt = detail + enlarge(rebuilt, detail)
    torch.testing.assert_close(rebuilt, images, rtol=0.0, atol=1e-5)


def test_a_flat_picture_has_no_detail_inside() -> None:
    """One colour lies in the coarsest level; details stay empty away from the border."""
    flat = torch.full((1, 3, 64, 64), 0.7)
    *details, coarsest = laplacian_pyramid(flat)
    torch.testing.assert_close(coarsest, torch.full_like(coarsest, 0.7))
    assert all(detail[..., 4:-4, 4:-4].abs().max() < 1e-6 for detail in details)


def test_too_small_a_picture_is_refused() -> None:
    """Below 16 px there is no level to measure at."""
    with pytest.raises(ValueError, match="expected 16 or more"):
        laplacian_pyramid(pictures(15, 32))


def enlarge(small: Tensor, like: Tensor) -> Tensor:
    """Enlarge as a plain loop over channels would: zeros between, then a 5×5 window of sum 4."""
    weights = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16.0
    window = 4.0 * torch.outer(weights, weights)[None, None]
    spread = torch.zeros_like(like)
    spread[..., ::2, ::2] = small
    planes = [
        conv2d(pad(spread[:, c : c + 1], (2, 2, 2, 2), mode="reflect"), window) for c in range(3)
    ]
    return torch.cat(planes, dim=1)
