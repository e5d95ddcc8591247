"""Do light and dark stay where they were, or has the generator turned the picture inside out?"""

import torch
from jaxtyping import Float
from torch import Tensor

from portrait_pipeline.metrics.helpers.ranges import DataRange, check_pairs, range_width

LUMA_WEIGHTS = (0.299, 0.587, 0.114)
"""Of red, green and blue (ITU-R BT.601)."""

_FLAT = 1e-4
"""Standard deviation, as a share of the range, below which a picture is one colour."""


def luminance_correlation(
    photos: Float[Tensor, "batch 3 height width"],
    portraits: Float[Tensor, "batch 3 height width"],
    data_range: DataRange,
) -> Float[Tensor, " batch"]:
    """Correlate the luminance of each photo with that of its portrait (Pearson), in [-1, 1].

    A CycleGAN may learn to invert colours, since the way back can invert them again; the cycle loss
    does not see it, and this does: such portraits lie near -1. 1 is the same shading. A picture of
    one colour correlates with nothing and has 0.

    Args:
        photos: Pictures with values in `data_range`.
        portraits: Their portraits, in the same order.
        data_range: (low, high) of the possible values, or high - low alone.

    Raises:
        ValueError: if shapes differ, there are not three channels, or values lie outside the range.
    """
    check_pairs(photos, portraits, data_range)
    if photos.shape[1] != 3:
        raise ValueError(f"photos have {photos.shape[1]} channels, expected 3 (RGB)")
    flat = _FLAT * range_width(data_range)
    a, b = _centred_luminance(photos), _centred_luminance(portraits)
    deviations = a.square().mean(dim=1).sqrt(), b.square().mean(dim=1).sqrt()
    correlation = (a * b).mean(dim=1) / (deviations[0] * deviations[1]).clamp(min=flat**2)
    correlation[(deviations[0] < flat) | (deviations[1] < flat)] = 0.0
    return correlation.clamp(-1.0, 1.0)


def _centred_luminance(images: Tensor) -> Float[Tensor, "batch pixels"]:
    weights = torch.tensor(LUMA_WEIGHTS, dtype=torch.float32, device=images.device)
    luminance = torch.einsum("nchw,c->nhw", images.detach().to(torch.float32), weights).flatten(1)
    return luminance - luminance.mean(dim=1, keepdim=True)
