"""Photo and portraits side by side."""

import numpy as np
import pytest

from portrait_pipeline.portrayal.strips import FOOT_PX, GAP_PX, HEAD_PX, TILE_PX, comparison_strip


@pytest.mark.parametrize("size_px", [64, 300])
@pytest.mark.parametrize("models", [("proposed",), ("baseline", "proposed")])
def test_every_picture_has_a_column(size_px: int, models: tuple[str, ...]) -> None:
    """Photo first, then the models in their order; small pictures are enlarged, large ones kept."""
    photo = np.full((size_px, size_px, 3), 40, np.uint8)
    values = dict(zip(models, (90, 160), strict=False))
    portraits = {name: np.full_like(photo, value) for name, value in values.items()}
    strip = comparison_strip(photo, portraits, {})
    tile = max(TILE_PX, size_px)
    assert strip.shape == (
        HEAD_PX + tile + FOOT_PX,
        (1 + len(models)) * (tile + GAP_PX) + GAP_PX,
        3,
    )
    row = strip[HEAD_PX + tile // 2, :, 0]
    centres = [
        row[GAP_PX + place * (tile + GAP_PX) + tile // 2] for place in range(len(models) + 1)
    ]
    assert centres == [40, *values.values()]


def test_notes_are_drawn_below_their_portrait() -> None:
    """With a note the foot of that column is not empty; without one it is paper."""
    photo = np.zeros((64, 64, 3), np.uint8)
    portraits = {"baseline": photo, "proposed": photo}
    strip = comparison_strip(
        photo, portraits, {"proposed": ("0.42", "more alike than 90 % of strangers")}
    )
    foot = strip[HEAD_PX + TILE_PX + 2 :]
    column = TILE_PX + GAP_PX
    assert (foot[:, : 2 * column] == 255).all()
    assert (foot[:, 2 * column :] < 255).any()
