"""Area means of many windows at once, read from integral images, with numpy alone.

The counterpart of `faces.resampling` for machines without PyTorch: the same bins, the same exact
sums, so the networks see the same pixels.
"""

import numpy as np
from jaxtyping import Float32, Int64, UInt8


def integral(
    canvas: UInt8[np.ndarray, "batch height width 3"],
) -> Int64[np.ndarray, "batch height_1 width_1 3"]:
    """Return the sums over everything above and to the left: one row and column of zeros more."""
    batch, height, width, channels = canvas.shape
    sums = np.zeros((batch, height + 1, width + 1, channels), dtype=np.int64)
    np.cumsum(canvas, axis=2, dtype=np.int64, out=sums[:, 1:, 1:])
    np.cumsum(sums[:, 1:, 1:], axis=1, out=sums[:, 1:, 1:])
    return sums


def area_level(
    sums: Int64[np.ndarray, "batch height_1 width_1 3"], height_px: int, width_px: int
) -> Float32[np.ndarray, "batch 3 height_px width_px"]:
    """Shrink whole pictures to one level of the pyramid, values in [0, 255]."""
    rows = _bins(np.array([sums.shape[1] - 1]), height_px)[:, 0]
    columns = _bins(np.array([sums.shape[2] - 1]), width_px)[:, 0]
    bands = sums[:, rows[1]] - sums[:, rows[0]]
    totals = bands[:, :, columns[1]] - bands[:, :, columns[0]]
    areas = (rows[1] - rows[0])[:, None] * (columns[1] - columns[0])
    return _means(totals, areas[None])


def area_patches(
    sums: Int64[np.ndarray, "batch height_1 width_1 3"],
    pictures: Int64[np.ndarray, " patches"],
    windows: Int64[np.ndarray, "patches 4"],
    size_px: int,
) -> Float32[np.ndarray, "patches 3 size_px size_px"]:
    """Cut many windows (left, top, right, bottom; right and bottom excluded) out at one size."""
    columns = windows[:, 0, None] + _bins(windows[:, 2] - windows[:, 0], size_px)
    rows = windows[:, 1, None] + _bins(windows[:, 3] - windows[:, 1], size_px)
    picture = pictures[:, None, None]

    def corner(row: int, column: int) -> Int64[np.ndarray, "patches size_px size_px 3"]:
        at: Int64[np.ndarray, "patches size_px size_px 3"] = sums[
            picture, rows[row][:, :, None], columns[column][:, None, :]
        ]
        return at

    totals = corner(1, 1) - corner(0, 1) - corner(1, 0) + corner(0, 0)
    areas = (rows[1] - rows[0])[:, :, None] * (columns[1] - columns[0])[:, None, :]
    return _means(totals, areas)


def _bins(lengths: Int64[np.ndarray, " n"], count: int) -> Int64[np.ndarray, "2 n count"]:
    """Return first and last edge of `count` bins over each length: floor and ceiling."""
    steps = np.arange(count)
    return np.stack(
        [steps * lengths[:, None] // count, -(-(steps + 1) * lengths[:, None] // count)]
    )


def _means(
    totals: Int64[np.ndarray, "n rows columns 3"], areas: Int64[np.ndarray, "m rows columns"]
) -> Float32[np.ndarray, "n 3 rows columns"]:
    means = totals.astype(np.float32) / areas[..., None].astype(np.float32)
    return np.ascontiguousarray(means.transpose(0, 3, 1, 2))
