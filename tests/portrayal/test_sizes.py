import numpy as np
import pytest

from portrait_pipeline.faces.crop import CropTransform
from portrait_pipeline.portrayal.sizes import MAX_OWN_SIZE_PX, at_size, portrait_size_px


@pytest.mark.parametrize(
    ("edge_px", "asked_px", "size_px"),
    [(321.6, None, 322), (4000.0, None, MAX_OWN_SIZE_PX), (0.2, None, 1), (321.6, 1024, 1024)],
)
def test_the_size_is_the_faces_own_unless_another_is_asked_for(
    edge_px: float, asked_px: int | None, size_px: int
) -> None:
    """At most 1,024 px, since no model paints more."""
    assert portrait_size_px(CropTransform(0.0, 0.0, edge_px), asked_px) == size_px


def test_another_size_keeps_the_picture() -> None:
    """A flat picture stays flat, and its own size changes nothing."""
    flat = np.full((64, 64, 3), 77, dtype=np.uint8)
    assert (at_size(flat, 200) == 77).all()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert np.array_equal(at_size(noise, 64), noise)
