"""Small pictures for the report: what was kept, and what was left out and why."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from PIL import Image

from portrait_pipeline.faces.columns import AUDIT_DTYPES, typed
from portrait_pipeline.images import FaceSet, PictureError, read_picture

BLANK = 235
"""Grey of what has no picture."""


def kept_thumbnails(
    faces: FaceSet, count: int, size_px: int
) -> UInt8[np.ndarray, "count size_px size_px 3"]:
    """Return crops spread evenly over a set, shrunk; all of them when there are fewer."""
    rows = np.linspace(0, len(faces) - 1, min(count, len(faces))).round().astype(np.int64)
    return _stacked([_fitted(Image.fromarray(faces[int(row)]), size_px) for row in rows], size_px)


def left_out_thumbnails(
    audit: pd.DataFrame, count: int, size_px: int
) -> tuple[list[str], UInt8[np.ndarray, "count size_px size_px 3"]]:
    """Return files that were left out, some for every reason, each with a line about it.

    The reasons take turns, so that a frequent one does not hide the rare ones. A file that cannot
    be read is a grey tile.

    Returns:
        For each tile `name: reason`, and the tiles.
    """
    table = typed(audit, AUDIT_DTYPES)
    rows = table[~table["kept"]].copy()
    rows["turn"] = rows.groupby("reason").cumcount()
    chosen = rows.sort_values(["turn", "reason", "name"]).head(count)
    titles = [_title(row) for row in chosen.to_dict("records")]
    tiles = [_read(path, size_px) for path in chosen["path"]]
    return titles, _stacked(tiles, size_px)


def contact_sheet(
    tiles: UInt8[np.ndarray, "tiles size size 3"], columns: int, gap_px: int = 2
) -> UInt8[np.ndarray, "height width 3"]:
    """Lay tiles out in rows on white; the last row may be shorter."""
    size = tiles.shape[1]
    lines = -(-len(tiles) // columns)
    step = size + gap_px
    sheet = np.full((lines * step + gap_px, columns * step + gap_px, 3), 255, dtype=np.uint8)
    for index, tile in enumerate(tiles):
        top, left = (gap_px + step * place for place in divmod(index, columns))
        sheet[top : top + size, left : left + size] = tile
    return sheet


def _title(row: dict[object, object]) -> str:
    reason = f"{row['reason']} of {row['duplicate_of']}"
    return f"{row['name']}: {reason if row['reason'] == 'duplicate' else row['reason']}"


def _read(path: str, size_px: int) -> UInt8[np.ndarray, "size_px size_px 3"]:
    try:
        return _fitted(read_picture(path), size_px)
    except PictureError:
        return np.full((size_px, size_px, 3), BLANK, dtype=np.uint8)


def _fitted(picture: Image.Image, size_px: int) -> UInt8[np.ndarray, "size_px size_px 3"]:
    """Fit a whole picture into a square, on grey; it is not squashed."""
    scale = size_px / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    tile = Image.new("RGB", (size_px, size_px), (BLANK, BLANK, BLANK))
    small = picture.resize(size, Image.Resampling.LANCZOS)
    tile.paste(small, ((size_px - size[0]) // 2, (size_px - size[1]) // 2))
    return np.asarray(tile)


def _stacked(
    tiles: Sequence[np.ndarray], size_px: int
) -> UInt8[np.ndarray, "count size_px size_px 3"]:
    if not tiles:
        return np.zeros((0, size_px, size_px, 3), dtype=np.uint8)
    return np.stack(tiles)
