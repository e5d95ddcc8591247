"""Photographs altered without learning: each does what its name says, at every size."""

import numpy as np
import pytest
from support.face_crops import drawn_faces, real_faces

from portrait_pipeline.identity.judge import load_judge
from portrait_pipeline.identity.landmarks import find_landmarks
from portrait_pipeline.metrics.identity_similarity import pair_similarities
from portrait_pipeline.scoring.altered import (
    MODE_RADII,
    blurred,
    darkened,
    grainy,
    mode_filtered,
    with_inner_faces_of,
    with_palettes,
)


@pytest.fixture(scope="module")
def photos() -> np.ndarray:
    """Eight drawn photographs."""
    return drawn_faces(8)


def test_a_photograph_takes_the_palette_of_a_painting(photos: np.ndarray) -> None:
    """Mean and covariance of the colours become the painting's; the shapes stay."""
    tiles = np.random.default_rng(0).normal((140, 100, 60), (20, 15, 10), (1, 64, 64, 3))
    painting = tiles.clip(0, 255).astype(np.uint8)
    recoloured = with_palettes(photos, painting, seed=0)
    for crop, photo in zip(recoloured, photos, strict=True):
        colours, wanted = crop.reshape(-1, 3), painting.reshape(-1, 3)
        np.testing.assert_allclose(colours.mean(axis=0), wanted.mean(axis=0), atol=4.0)
        np.testing.assert_allclose(colours.std(axis=0), wanted.std(axis=0), atol=4.0)
        grey, before = crop.mean(axis=2).ravel(), photo.mean(axis=2).ravel()
        assert np.corrcoef(grey, before)[0, 1] > 0.7


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_pictures_of_one_colour_can_be_recoloured(colour: int) -> None:
    """No spread of colours is no division by zero, on either side."""
    flat = np.full((2, 16, 16, 3), colour, dtype=np.uint8)
    lively = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    assert with_palettes(flat, lively, 0).shape == flat.shape
    assert with_palettes(lively, flat, 0).std() < 3.0


def test_a_larger_radius_leaves_fewer_colours(photos: np.ndarray) -> None:
    """The mode filter flattens, the more the larger its radius, in shares of the crop."""
    counts = [len(np.unique(mode_filtered(photos, radius))) for radius in MODE_RADII.values()]
    steps = [
        np.abs(np.diff(mode_filtered(photos, r).astype(int), axis=1) == 0).mean()
        for r in MODE_RADII.values()
    ]
    assert len(counts) == 3
    assert steps == sorted(steps)


@pytest.mark.parametrize("size_px", [64, 128])
@pytest.mark.parametrize("radius", MODE_RADII.values(), ids=list(MODE_RADII))
def test_the_mode_filter_means_the_same_at_every_size(radius: float, size_px: int) -> None:
    """Law: a stripe as wide as the radius vanishes, one twice as wide stays as wide as it was."""
    for width, is_left in ((radius, 0), (2 * radius, 1)):
        crop = np.full((1, size_px, size_px, 3), 200, dtype=np.uint8)
        first, count = size_px // 2, round(width * size_px)
        crop[:, :, first : first + count] = 20
        dark = (mode_filtered(crop, radius) == 20).all(axis=3).sum(axis=2)
        assert set(dark.ravel().tolist()) == {is_left * count}


def test_small_alterations_do_what_they_say(photos: np.ndarray) -> None:
    """Blur lowers differences of neighbours, grain raises them, darkening scales."""

    def roughness(crops: np.ndarray) -> float:
        return float(np.abs(np.diff(crops.astype(float), axis=2)).mean())

    assert roughness(blurred(photos)) < roughness(photos) < roughness(grainy(photos, 0))
    assert darkened(photos).mean() == pytest.approx(0.6 * photos.mean(), rel=0.02)


def test_another_inner_face_is_another_person_in_the_same_frame() -> None:
    """The judge falls from 1, and hair and background stay as they were."""
    photos = real_faces("photos", 16)
    order = np.roll(np.arange(16), 5)
    landmarks = find_landmarks(photos)
    both = np.concatenate([landmarks, landmarks[order]])
    swapped = with_inner_faces_of(photos, both, photos[order])
    np.testing.assert_array_equal(swapped[:, :6], photos[:, :6])
    judge = load_judge("dlib")
    assert pair_similarities(judge(swapped), judge(photos)).mean() < 0.75
    unchanged = with_inner_faces_of(photos, np.concatenate([landmarks, landmarks]), photos)
    np.testing.assert_allclose(unchanged.astype(int), photos, atol=2)


def test_the_other_face_is_warped_to_the_landmarks_of_this_one() -> None:
    """A white dot at a landmark of the other face comes to lie at the same landmark of this one."""
    own = np.random.default_rng(0).uniform(0.25, 0.75, (1, 68, 2))
    theirs = own * 0.7 + 0.05
    inner = own[0, 17:]
    chosen = 17 + int(np.linalg.norm(inner - inner.mean(axis=0), axis=1).argmin())
    photo, other = (np.full((1, 64, 64, 3), grey, dtype=np.uint8) for grey in (90, 20))
    column, row = (theirs[0, chosen] * 64).astype(int)
    other[0, row - 1 : row + 2, column - 1 : column + 2] = 255
    swapped = with_inner_faces_of(photo, np.concatenate([own, theirs]), other)[0, ..., 0]
    place = np.argwhere(swapped >= swapped.max() - 10).mean(axis=0)[::-1]
    assert np.linalg.norm(place - own[0, chosen] * 64) < 2.5
    assert np.linalg.norm(place - theirs[0, chosen] * 64) > 5.0


def test_landmarks_on_a_line_replace_nothing(photos: np.ndarray) -> None:
    """Where there is no inner face there is nothing to swap, and no error."""
    line = np.repeat(np.linspace(0.1, 0.9, 68)[None, :, None], 2, axis=2).repeat(4, axis=0)
    np.testing.assert_array_equal(with_inner_faces_of(photos[:2], line, photos[2:4]), photos[:2])
