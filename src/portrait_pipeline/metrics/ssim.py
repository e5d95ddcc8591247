"""Structural similarity (report, section 5.1; Wang et al. 2004), right and as it was published.

    SSIM(x, y) = (2 μx μy + C1)(2 σxy + C2) / ((μx² + μy² + C1)(σx² + σy² + C2))

in an 11×11 Gaussian window with σ = 1.5, for each channel alone, averaged over the windows that lie
wholly inside the picture and over the channels. C1 = (0.01 L)², C2 = (0.03 L)², and L is the width
of the range of the values. It agrees with scikit-image's `structural_similarity` under
`gaussian_weights=True, sigma=1.5, use_sample_covariance=False`.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d

from portrait_pipeline.metrics.helpers.ranges import (
    MODEL_RANGE,
    DataRange,
    check_pairs,
    range_width,
)

WINDOW_PX = 11
SIGMA_PX = 1.5
K1, K2 = 0.01, 0.03
PUBLISHED_WIDTH = 255.0
"""The L whose constants the report's program used, though its images lay in [-1, 1]."""

_PIXELS_AT_ONCE = 3 * 256 * 256
"""Work in portions that stay near the processor: one large batch takes two thirds more time."""


def ssim(
    images_a: Float[Tensor, "batch channels height width"],
    images_b: Float[Tensor, "batch channels height width"],
    data_range: DataRange,
) -> Float[Tensor, " batch"]:
    """Compare pictures by local brightness, contrast and structure; 1: the same, 0: unrelated.

    Sees whether edges and shading stand in the same places. Does not see who is pictured, nor
    whether a picture looks painted. Symmetric; in [-1, 1]; keeps no gradient.

    Args:
        images_a: Pictures with values in `data_range`.
        images_b: Their counterparts, in the same order.
        data_range: (low, high) of the possible values, or high - low alone; here (-1, 1).

    Returns:
        One value per pair, in the precision of the images.

    Raises:
        ValueError: if shapes differ, a side is below 11 px, or values lie outside `data_range`.
    """
    check_pairs(images_a, images_b, data_range)
    return _mean_similarity(images_a, images_b, range_width(data_range))


def ssim_as_published(
    images_a: Float[Tensor, "batch channels height width"],
    images_b: Float[Tensor, "batch channels height width"],
) -> Float[Tensor, " batch"]:
    """Compute SSIM as the report's program did, to be comparable with its tables and for that only.

    Its images lay in [-1, 1], its constants were those of [0, 255]: C1 = 6.5 and C2 = 58.5 outweigh
    every mean (at most 1) and variance. Two pictures of independent noise score above 0.98, so the
    number says next to nothing. Not to be confused with `ssim`.

    Args:
        images_a: Images, in [-1, 1].
        images_b: Their counterparts, in the same order.

    Raises:
        ValueError: if shapes differ, a side is below 11 px, or values lie outside [-1, 1].
    """
    check_pairs(images_a, images_b, MODEL_RANGE)
    return _mean_similarity(images_a, images_b, PUBLISHED_WIDTH)


def _mean_similarity(images_a: Tensor, images_b: Tensor, width: float) -> Tensor:
    batch, channels, *size = images_a.shape
    if min(size) < WINDOW_PX:
        raise ValueError(f"pictures are {size[0]}×{size[1]} px, expected {WINDOW_PX} or more")
    precision = torch.promote_types(images_a.dtype, torch.float32)
    portion = max(1, _PIXELS_AT_ONCE // (size[0] * size[1]))
    planes_a = torch.split(images_a.reshape(batch * channels, *size).to(precision), portion)
    planes_b = torch.split(images_b.reshape(batch * channels, *size).to(precision), portion)
    with torch.no_grad():
        planes = [_plane_similarity(a, b, width) for a, b in zip(planes_a, planes_b, strict=True)]
    return torch.cat(planes).reshape(batch, channels).mean(dim=1)


def _plane_similarity(
    a: Float[Tensor, "planes height width"], b: Float[Tensor, "planes height width"], width: float
) -> Float[Tensor, " planes"]:
    """Average the formula over the windows of each plane.

    Sum s = a + b and difference d = a - b need four filtered planes where μ, σ² and σxy need five:
    4 μa μb = μs² - μd², 2 (μa² + μb²) = μs² + μd², and so with the variances. It works in place,
    since memory, not arithmetic, takes the time.
    """
    c1, c2 = 2.0 * (K1 * width) ** 2, 2.0 * (K2 * width) ** 2
    means, mean_squares = _blur(_sums_and_squares(a, b)).chunk(2)
    squared_means = means.square_()
    mean_s, mean_d = squared_means.chunk(2)
    variance_s, variance_d = mean_squares.sub_(squared_means).chunk(2)
    mean_s.add_(c1)
    variance_s.add_(c2)
    numerator = (mean_s - mean_d).mul_(variance_s - variance_d)
    denominator = mean_s.add_(mean_d).mul_(variance_s.add_(variance_d))
    return numerator.div_(denominator).mean(dim=(1, 2))


def _sums_and_squares(a: Tensor, b: Tensor) -> Float[Tensor, "four_planes height width"]:
    planes = torch.empty((4, *a.shape), dtype=a.dtype, device=a.device)
    torch.add(a, b, out=planes[0])
    torch.sub(a, b, out=planes[1])
    torch.mul(planes[:2], planes[:2], out=planes[2:])
    return planes.flatten(0, 1)


def _blur(planes: Float[Tensor, "planes height width"]) -> Float[Tensor, "planes out_h out_w"]:
    """Average in the Gaussian window, inside the picture only: along columns, then along rows.

    What is not filtered stands as channels, first the columns and then the rows; planes as channels
    would leave the convolution too little to do at a time.
    """
    window = _gaussian(planes)
    columns = planes.unsqueeze(1).permute(0, 3, 1, 2)
    down = conv2d(columns, window.expand(columns.shape[1], 1, 1, WINDOW_PX), groups=planes.shape[2])
    rows = down.permute(0, 3, 2, 1).contiguous()
    across = conv2d(rows, window.expand(rows.shape[1], 1, 1, WINDOW_PX), groups=rows.shape[1])
    return across.squeeze(2)


def _gaussian(like: Tensor) -> Float[Tensor, " window"]:
    offsets = torch.arange(WINDOW_PX, dtype=torch.float64, device=like.device) - WINDOW_PX // 2
    weights = torch.exp(-0.5 * (offsets / SIGMA_PX).square())
    return (weights / weights.sum()).to(like.dtype)
