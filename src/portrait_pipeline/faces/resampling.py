"""Area means of many windows at once, read from integral images.

The bins are those of `torch.nn.functional.interpolate(mode="area")`: output i of n averages the
inputs from floor(i·size/n) to ceil((i + 1)·size/n). Sums of uint8 are exact in int32 up to
2048 x 2048 pixels.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn.functional import pad


def integral(
    canvas: UInt8[Tensor, "batch height width 3"],
) -> Int[Tensor, "batch height_1 width_1 3"]:
    """Return the sums over everything above and to the left: one row and column of zeros more."""
    along = torch.cumsum(canvas, dim=2, dtype=torch.int32)
    return pad(torch.cumsum(along, dim=1, dtype=torch.int32), (0, 0, 1, 0, 1, 0))


def area_levels(
    sums: Int[Tensor, "batch height_1 width_1 3"],
    pictures: Sequence[int],
    extents: Sequence[tuple[int, int]],
    sizes: Sequence[tuple[int, int]],
) -> Float[Tensor, "pictures 3 height width"]:
    """Shrink each picture of a batch on its own grid, values in [0, 255]; the rest stays black.

    Args:
        sums: The integral images of the batch.
        pictures: Which of them to shrink.
        extents: Width and height of each picture on its canvas.
        sizes: Width and height that each of them is brought to.
    """
    width, height = max(size[0] for size in sizes), max(size[1] for size in sizes)
    levels = torch.zeros((len(sizes), height, width, 3), device=sums.device)
    for row, (picture, extent, size) in enumerate(zip(pictures, extents, sizes, strict=True)):
        (left, right), (top, bottom) = (
            _edges(length, count, sums.device) for length, count in zip(extent, size, strict=True)
        )
        bands = sums[picture].index_select(0, bottom) - sums[picture].index_select(0, top)
        totals = bands.index_select(1, right) - bands.index_select(1, left)
        areas = (bottom - top)[:, None] * (right - left)
        levels[row, : size[1], : size[0]] = totals / areas[..., None]
    return levels.permute(0, 3, 1, 2)


def area_patches(
    sums: Int[Tensor, "batch height_1 width_1 3"],
    pictures: Int[Tensor, "patches"],
    windows: Int[Tensor, "patches 4"],
    size_px: int,
) -> Float[Tensor, "patches 3 size_px size_px"]:
    """Cut many windows (left, top, right, bottom; right and bottom excluded) out at one size."""
    steps = torch.arange(size_px, device=sums.device)
    columns = _spans(windows[:, 0], windows[:, 2], steps)
    rows = _spans(windows[:, 1], windows[:, 3], steps)
    picture = pictures[:, None, None]

    def corner(row: int, column: int) -> Tensor:
        return sums[picture, rows[row][:, :, None], columns[column][:, None, :]]

    totals = corner(1, 1) - corner(0, 1) - corner(1, 0) + corner(0, 0)
    areas = (rows[1] - rows[0])[:, :, None] * (columns[1] - columns[0])[:, None, :]
    return (totals / areas[..., None]).permute(0, 3, 1, 2)


def _edges(length: int, count: int, device: torch.device) -> tuple[Tensor, Tensor]:
    steps = torch.arange(count, device=device)
    return steps * length // count, -(-(steps + 1) * length // count)


def _spans(
    low: Int[Tensor, "patches"], high: Int[Tensor, "patches"], steps: Int[Tensor, "size"]
) -> tuple[Tensor, Tensor]:
    length = (high - low)[:, None]
    count = len(steps)
    first = low[:, None] + steps * length // count
    last = low[:, None] - (-(steps + 1) * length // count)
    return first, last
