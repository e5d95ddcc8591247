"""Every metric over pictures declares the range of its values and refuses anything outside it.

The wrong range is the commonest silent mistake in this field: constants made for [0, 255] on images
in [-1, 1] turn two pictures of noise into near-twins.
"""

import torch
from torch import Tensor

DataRange = float | tuple[float, float]
"""Lowest and highest possible value, as (-1.0, 1.0); or their difference alone, as 2.0."""

MODEL_RANGE = (-1.0, 1.0)
SLACK = 1e-5
"""Share of the range that rounding may step over its ends."""


def range_width(data_range: DataRange) -> float:
    """Return the difference L between the highest and the lowest possible value.

    Raises:
        ValueError: if it is not a positive number.
    """
    low, high = data_range if isinstance(data_range, tuple) else (0.0, data_range)
    width = float(high) - float(low)
    if not 0.0 < width < float("inf"):
        raise ValueError(f"data_range is {data_range}, expected (low, high) with low < high")
    return width


def check_range(images: Tensor, data_range: DataRange, name: str) -> None:
    """Refuse images whose values cannot lie in the declared range.

    Of a pair both ends are checked. Of a width alone, which does not say where it starts, it is
    checked that the values neither span more than it nor lie further than it from zero.

    Args:
        images: Any shape.
        data_range: The declared range.
        name: What the images are called in the error.

    Raises:
        ValueError: if there is no value, one is not finite, or one lies outside the range.
    """
    width = range_width(data_range)
    if images.numel() == 0:
        raise ValueError(f"{name} has shape {tuple(images.shape)}, expected at least one picture")
    lowest, highest = (float(end) for end in torch.aminmax(images.detach()))
    slack = SLACK * width
    if isinstance(data_range, tuple):
        inside = lowest >= data_range[0] - slack and highest <= data_range[1] + slack
    else:
        inside = highest - lowest <= width + slack and max(highest, -lowest) <= width + slack
    if not inside:  # also true of NaN, which compares false with everything
        raise ValueError(
            f"{name} has values from {lowest:g} to {highest:g}, expected data_range {data_range}"
        )


def check_pairs(images_a: Tensor, images_b: Tensor, data_range: DataRange) -> None:
    """Refuse two batches that are not pairs of pictures of one shape in the declared range.

    Raises:
        ValueError: if the shapes differ, are not (batch, channels, height, width), or a value lies
            outside the range.
    """
    if images_a.shape != images_b.shape or images_a.ndim != 4:
        raise ValueError(
            f"images_a has shape {tuple(images_a.shape)}, images_b {tuple(images_b.shape)};"
            " expected the same (batch, channels, height, width)"
        )
    check_range(images_a, data_range, "images_a")
    check_range(images_b, data_range, "images_b")
