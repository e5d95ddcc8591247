"""Thumbnails are square, not squashed, and show every reason."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from portrait_pipeline.faces.columns import AUDIT_DTYPES, typed
from portrait_pipeline.faces.thumbnails import (
    contact_sheet,
    kept_thumbnails,
    left_out_thumbnails,
)
from portrait_pipeline.images import FaceSet


def test_kept_crops_are_spread_over_the_set() -> None:
    """The first and the last crop are shown and the rest lies evenly between."""
    pixels = np.arange(100, dtype=np.uint8)[:, None, None, None] * np.ones((16, 16, 3), np.uint8)
    faces = FaceSet(tuple(map(str, range(100))), pixels)
    tiles = kept_thumbnails(faces, 12, 8)
    assert tiles.shape == (12, 8, 8, 3)
    assert np.allclose(tiles[:, 4, 4, 0], np.linspace(0, 99, 12), atol=1)
    assert len(kept_thumbnails(faces, 500, 8)) == 100
    assert kept_thumbnails(FaceSet((), pixels[:0]), 5, 8).shape == (0, 8, 8, 3)


def test_every_reason_is_shown(tmp_path: Path) -> None:
    """Rare reasons are not hidden by frequent ones; broken files are grey; wide ones stay wide."""
    wide = tmp_path / "wide.png"
    Image.new("RGB", (40, 10), (255, 0, 0)).save(wide)
    table = pd.DataFrame(
        {
            "name": [f"{index}.jpg" for index in range(12)],
            "path": [str(wide)] * 10 + [str(tmp_path / "gone.jpg"), str(wide)],
            "reason": ["no face"] * 10 + ["unreadable", "duplicate"],
            "duplicate_of": [pd.NA] * 11 + ["0.jpg"],
            "kept": False,
            "width_px": 0,
            "height_px": 0,
            "cluster": -1,
        }
    )
    titles, tiles = left_out_thumbnails(typed(table, AUDIT_DTYPES), 4, 20)
    assert titles == [
        "11.jpg: duplicate of 0.jpg",
        "0.jpg: no face",
        "10.jpg: unreadable",
        "1.jpg: no face",
    ]
    assert np.ptp(tiles[2]) == 0
    red = tiles[1][..., 1] < 50
    assert (int(red.any(axis=1).sum()), int(red.any(axis=0).sum())) == (5, 20)


def test_a_contact_sheet_holds_every_tile() -> None:
    """Tiles lie in rows in their order, on white, and the last row may be short."""
    tiles = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((4, 4, 3), np.uint8)
    sheet = contact_sheet(tiles, columns=3, gap_px=1)
    assert sheet.shape == (11, 16, 3)
    assert [int(sheet[2, 2 + 5 * column, 0]) for column in range(3)] == [0, 1, 2]
    assert [int(sheet[7, 2 + 5 * column, 0]) for column in range(3)] == [3, 4, 255]
