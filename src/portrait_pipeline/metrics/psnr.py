"""How far F(G(x)) is from x, in decibels."""

import torch
from jaxtyping import Float
from torch import Tensor

from portrait_pipeline.metrics.helpers.ranges import DataRange, check_pairs, range_width

_STEPS_OF_8_BIT = 255.0


def psnr(
    images_a: Float[Tensor, "batch channels height width"],
    images_b: Float[Tensor, "batch channels height width"],
    data_range: DataRange,
) -> Float[Tensor, " batch"]:
    """Compute the peak signal-to-noise ratio of each pair: 10 log10(L² / mean squared error), dB.

    Higher is closer. Differences below the rounding error of 8 bits, (L / 255)² / 12, count as
    that, so the same picture twice has 58.9 dB instead of infinity and means stay finite.

    Args:
        images_a: Pictures with values in `data_range`.
        images_b: Their counterparts, in the same order.
        data_range: (low, high) of the possible values, or high - low alone.

    Raises:
        ValueError: if shapes differ or values lie outside `data_range`.
    """
    check_pairs(images_a, images_b, data_range)
    width = range_width(data_range)
    errors = (images_a.detach() - images_b.detach()).square().mean(dim=(1, 2, 3))
    rounding = (width / _STEPS_OF_8_BIT) ** 2 / 12.0
    return 10.0 * torch.log10(width**2 / errors.clamp(min=rounding))
