"""Area means of many windows at once, read from integral images.

The bins are those of `torch.nn.functional.interpolate(mode="area")`: output i of n averages the
inputs from floor(i·size/n) to ceil((i + 1)·size/n). Sums of uint8 are exact in int32 up to
2048 x 2048 pixels.
"""

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor


def integral(
    canvas: UInt8[Tensor, "batch height width 3"],
) -> Int[Tensor, "batch 3 height_1 width_1"]:
    """Return the sums over everything above and to the left: one row and column of zeros more."""
    pixels = canvas.permute(0, 3, 1, 2)
    batch, channels, height, width = pixels.shape
    sums = torch.zeros(
        (batch, channels, height + 1, width + 1), dtype=torch.int32, device=canvas.device
    )
    inner = sums[:, :, 1:, 1:]
    torch.cumsum(pixels, dim=3, dtype=torch.int32, out=inner)
    torch.cumsum(inner.clone(), dim=2, dtype=torch.int32, out=inner)
    return sums


def area_level(
    sums: Int[Tensor, "batch 3 height_1 width_1"], height_px: int, width_px: int
) -> Float[Tensor, "batch 3 height_px width_px"]:
    """Shrink whole pictures to one level of the pyramid, values in [0, 255]."""
    rows = _edges(sums.shape[2] - 1, height_px, sums.device)
    columns = _edges(sums.shape[3] - 1, width_px, sums.device)
    bands = sums[:, :, rows[1]] - sums[:, :, rows[0]]
    totals = bands[..., columns[1]] - bands[..., columns[0]]
    areas = (rows[1] - rows[0])[:, None] * (columns[1] - columns[0])
    return totals.to(torch.float32) / areas


def area_patches(
    sums: Int[Tensor, "batch 3 height_1 width_1"],
    pictures: Int[Tensor, "patches"],
    boxes: Int[Tensor, "patches 4"],
    size_px: int,
) -> Float[Tensor, "patches 3 size_px size_px"]:
    """Cut many windows (left, top, right, bottom; right and bottom excluded) out at one size."""
    steps = torch.arange(size_px, device=sums.device)
    columns = _spans(boxes[:, 0], boxes[:, 2], steps)
    rows = _spans(boxes[:, 1], boxes[:, 3], steps)
    picture = pictures[:, None, None]

    def corner(row: int, column: int) -> Tensor:
        # advanced indices around a slice put the channels last
        return sums[picture, :, rows[row][:, :, None], columns[column][:, None, :]]

    totals = corner(1, 1) - corner(0, 1) - corner(1, 0) + corner(0, 0)
    areas = (rows[1] - rows[0])[:, :, None] * (columns[1] - columns[0])[:, None, :]
    return (totals.to(torch.float32) / areas[..., None]).permute(0, 3, 1, 2).contiguous()


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
