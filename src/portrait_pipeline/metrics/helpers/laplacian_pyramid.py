"""Laplacian pyramid (Burt and Adelson 1983): a picture as its details, from fine to coarse."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d, pad

COARSEST_PX = 16
_KERNEL = (1.0 / 16.0, 4.0 / 16.0, 6.0 / 16.0, 4.0 / 16.0, 1.0 / 16.0)


def laplacian_pyramid(
    images: Float[Tensor, "batch channels height width"],
) -> list[Float[Tensor, "batch channels level_height level_width"]]:
    """Split pictures into levels of detail, each half as large as the one before.

    Every level but the last is the picture of its size minus what the next smaller one knows of it;
    the last, at least 16 px, is the small picture itself. Adding up again gives the picture back.

    Raises:
        ValueError: if a side is below 16 px.
    """
    if min(images.shape[-2:]) < COARSEST_PX:
        size = "×".join(str(side) for side in images.shape[-2:])
        raise ValueError(f"pictures are {size} px, expected {COARSEST_PX} or more")
    levels = []
    while min(images.shape[-2:]) >= 2 * COARSEST_PX:
        smaller = _smooth(images)[..., ::2, ::2]
        levels.append(images - _enlarge(smaller, images))
        images = smaller
    return [*levels, images]


def _enlarge(smaller: Tensor, like: Tensor) -> Tensor:
    spread = torch.zeros_like(like)
    spread[..., ::2, ::2] = smaller
    return 4.0 * _smooth(spread)


def _smooth(images: Tensor) -> Tensor:
    channels = images.shape[1]
    kernel = torch.tensor(_KERNEL, dtype=images.dtype, device=images.device)
    window = kernel.expand(channels, 1, 1, 5)
    padded = pad(images, (2, 2, 2, 2), mode="reflect")
    rows = conv2d(padded, window, groups=channels)
    return conv2d(rows, window.transpose(2, 3), groups=channels)
