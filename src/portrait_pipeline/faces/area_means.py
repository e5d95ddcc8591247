"""Area means of windows, read from the integral image of one picture.

The bins are those of `torch.nn.functional.interpolate(mode="area")`: output i of n averages the
inputs from floor(i·size/n) to ceil((i + 1)·size/n). Sums of uint8 are exact in int32 up to
2048 x 2048 pixels.
"""

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt8

Sums = Int32[np.ndarray, "height_1 width_1 3"]


def integral(pixels: UInt8[np.ndarray, "height width 3"]) -> Sums:
    """Return the sums over everything above and to the left: one row and column of zeros more."""
    height, width, channels = pixels.shape
    sums = np.zeros((height + 1, width + 1, channels), dtype=np.int32)
    np.cumsum(pixels, axis=1, dtype=np.int32, out=sums[1:, 1:])
    np.cumsum(sums[1:, 1:], axis=0, out=sums[1:, 1:])
    return sums


def area_level(
    sums: Sums, width_px: int, height_px: int
) -> Float32[np.ndarray, "1 3 height_px width_px"]:
    """Shrink the whole picture, values in [0, 255]."""
    columns, rows = (
        _bins(np.array([length - 1]), count)[:, 0]
        for length, count in ((sums.shape[1], width_px), (sums.shape[0], height_px))
    )
    bands = sums[rows[1]] - sums[rows[0]]
    totals = bands[:, columns[1]] - bands[:, columns[0]]
    return _means(totals[None], _areas(rows[:, None], columns[:, None]))


def area_patches(
    sums: Sums, windows: Int64[np.ndarray, "patches 4"], size_px: int
) -> Float32[np.ndarray, "patches 3 size_px size_px"]:
    """Cut many windows (left, top, right, bottom; right and bottom excluded) out at one size."""
    columns = windows[:, 0, None] + _bins(windows[:, 2] - windows[:, 0], size_px)
    rows = windows[:, 1, None] + _bins(windows[:, 3] - windows[:, 1], size_px)

    flat = sums.reshape(-1, 3)  # one index into whole pixels: faster than one for each axis

    def corner(row: int, column: int) -> Int32[np.ndarray, "patches size_px size_px 3"]:
        places = rows[row][:, :, None] * sums.shape[1] + columns[column][:, None, :]
        return np.asarray(flat.take(places, axis=0))

    totals = corner(1, 1) - corner(0, 1) - corner(1, 0) + corner(0, 0)
    return _means(totals, _areas(rows, columns))


def _bins(lengths: Int64[np.ndarray, " n"], count: int) -> Int64[np.ndarray, "2 n count"]:
    """Return first and last edge of `count` bins over each length: floor and ceiling."""
    steps = np.arange(count)
    return np.stack(
        [steps * lengths[:, None] // count, -(-(steps + 1) * lengths[:, None] // count)]
    )


def _areas(
    rows: Int64[np.ndarray, "2 n rows"], columns: Int64[np.ndarray, "2 n columns"]
) -> Int64[np.ndarray, "n rows columns"]:
    heights, widths = rows[1] - rows[0], columns[1] - columns[0]
    return np.asarray(heights[:, :, None] * widths[:, None, :])


def _means(
    totals: Int32[np.ndarray, "n rows columns 3"], areas: Int64[np.ndarray, "n rows columns"]
) -> Float32[np.ndarray, "n 3 rows columns"]:
    """Divide, and put the channels first; in memory they stay last, as PyTorch pools fastest."""
    means = totals.astype(np.float32) / areas[..., None].astype(np.float32)
    return np.asarray(means.transpose(0, 3, 1, 2))
