"""What the features of EfficientNet-Lite0 tell, each picture by itself."""

from pathlib import Path

import numpy as np
from support.face_crops import drawn_faces, real_faces

from portrait_pipeline.metrics.efficientnet_lite import (
    early,
    lite_features,
    pooled,
)
from portrait_pipeline.metrics.kid import kid_of_features


def test_rows_are_pooled_and_early_features_of_each_picture_alone() -> None:
    """A picture's features are finite, not negative at the top, and its own in any batch."""
    crops = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 3), dtype=np.uint8)
    rows = lite_features(crops)
    assert pooled(rows).shape == (3, 1280)
    assert early(rows).shape == (3, 144)
    assert np.isfinite(rows).all()
    assert (pooled(rows) >= 0.0).all()
    np.testing.assert_allclose(lite_features(crops[1:2]), rows[1:2], atol=1e-4)
    assert lite_features(crops[:0]).shape == (0, 1424)


def test_photographs_are_farther_from_paintings_than_paintings_are(shared_pictures: Path) -> None:
    """On real crops the features know the two kinds: paintings about 0, photographs far above."""
    paintings = real_faces("paintings", 48)
    features = [pooled(lite_features(part)) for part in (paintings[::2], paintings[1::2])]
    photographs = pooled(lite_features(real_faces("photos", 24)))
    floor = kid_of_features(*features, 0).value
    distance = kid_of_features(photographs, features[0], 0).value
    assert floor < 30.0
    assert distance > 80.0


def test_the_early_stage_sees_grain_that_the_pooled_features_forgive() -> None:
    """A checkerboard of ±6 steps moves pictures farther than anything else about them."""
    crops = drawn_faces(24)
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 12 - 6)[None, :, :, None]
    marked = (crops[:12] + board).clip(0, 255).astype(np.uint8)
    plain, other, grainy = (early(lite_features(part)) for part in (crops[:12], crops[12:], marked))
    between_sets = kid_of_features(plain, other, 0).value
    assert kid_of_features(grainy, other, 0).value > 10 * max(between_sets, 5.0)
