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


def area_levels(
    sums: Int64[np.ndarray, "batch height_1 width_1 3"],
    pictures: Int64[np.ndarray, " some"],
    extents: Int64[np.ndarray, "some 2"],
    sizes: Int64[np.ndarray, "some 2"],
) -> Float32[np.ndarray, "some 3 height width"]:
    """Shrink each picture on its own grid, values in [0, 255]; the rest stays black."""
    width, height = sizes.max(axis=0)
    levels = np.zeros((len(sizes), height, width, 3), dtype=np.float32)
    for level, picture, extent, size in zip(levels, pictures, extents, sizes, strict=True):
        columns, rows = (_bins(extent[[axis]], int(size[axis]))[:, 0] for axis in (0, 1))
        bands = sums[picture, rows[1]] - sums[picture, rows[0]]
        totals = bands[:, columns[1]] - bands[:, columns[0]]
        areas = (rows[1] - rows[0])[:, None] * (columns[1] - columns[0])
        level[: size[1], : size[0]] = totals.astype(np.float32) / areas[..., None]
    return np.ascontiguousarray(levels.transpose(0, 3, 1, 2))


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
