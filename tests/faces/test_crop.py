"""Crops are similarities: square, upright, reflected, and never squashed."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support.ingestion import FACES, face_at

from portrait_pipeline.faces.border import soften_beyond
from portrait_pipeline.faces.crop import (
    CropTransform,
    centre_transform,
    crop_face,
    crop_transform,
    distance_beyond,
    eye_angle,
    fit_in_picture,
    reflected_indices,
    reflected_share,
)
from portrait_pipeline.faces.detection import Detection
from portrait_pipeline.parameters import FaceParameters


def smooth_picture(width: int, height: int, seed: int = 0) -> Image.Image:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (height // 20, width // 20, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def disc(width: int, height: int, x: float, y: float, radius: float) -> Image.Image:
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    inside = np.hypot(columns - x, rows - y) < radius
    return Image.fromarray((inside * 255).astype(np.uint8)).convert("RGB")


def centroid(crop: np.ndarray) -> tuple[float, float]:
    weight = crop[..., 0].astype(float)
    rows, columns = np.indices(weight.shape) + 0.5
    return float((columns * weight).sum() / weight.sum()), float(
        (rows * weight).sum() / weight.sum()
    )


transforms = st.builds(
    CropTransform,
    st.floats(-200, 500),
    st.floats(-200, 500),
    st.floats(1, 800),
    st.floats(-180, 180),
)


@given(transforms, st.integers(1, 512))
@settings(max_examples=50, deadline=None)
def test_to_source_and_to_crop_are_inverse(transform: CropTransform, size: int) -> None:
    """Points go to the source and back unchanged, and the middle of the crop is the centre."""
    points = np.array([[0.0, 0.0], [size, 0.0], [size / 2, size / 2], [3.25, 7.5]])
    there = transform.to_source(points, size)
    assert np.allclose(transform.to_crop(there, size), points, atol=1e-6 * size)
    assert np.allclose(there[2], (transform.centre_x, transform.centre_y))


@given(transforms)
@settings(max_examples=50, deadline=None)
def test_a_transform_is_a_similarity(transform: CropTransform) -> None:
    """All four sides of the square have the same length and meet at right angles: no squashing."""
    corners = transform.to_source(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=float), 1)
    sides = np.roll(corners, -1, axis=0) - corners
    assert np.allclose(np.hypot(*sides.T), transform.edge_px)
    assert np.allclose((sides * np.roll(sides, 1, axis=0)).sum(axis=1), 0, atol=1e-4)


@pytest.mark.parametrize("tilt", [-40.0, -10.0, 0.0, 25.0])
def test_the_eyes_of_a_crop_lie_level(tilt: float) -> None:
    """However the head is tilted, both eyes have one height in the crop."""
    face = face_at(100, 80, 60, tilt)
    transform = crop_transform(face, FACES, (200, 200))
    left, right = transform.to_crop(np.array(face.landmarks[:2]), 64)
    assert transform.angle_degrees == pytest.approx(tilt)
    assert left[1] == pytest.approx(right[1])
    assert left[0] < right[0]


def test_alignment_can_be_switched_off() -> None:
    """With align_eyes off no crop is turned."""
    plain = FACES.model_copy(update={"align_eyes": False})
    assert crop_transform(face_at(10, 10, 50, 30.0), plain, (200, 200)).angle_degrees == 0.0


def test_a_profile_is_not_turned() -> None:
    """Eyes that nearly coincide tell no line."""
    face = face_at(0, 0, 100)
    profile = Detection(face.box, ((50, 40), (52, 46), *face.landmarks[2:]), 0.99)
    assert eye_angle(profile) == 0.0


def test_the_square_holds_the_longer_edge_and_the_margin() -> None:
    """A box of 40 x 60 with a margin of 0.35 gives a square of 81 about the middle of the box."""
    face = Detection((60, 40, 100, 100), face_at(60, 50, 40).landmarks, 0.99)
    transform = crop_transform(face, FACES, (200, 200))
    assert (transform.centre_x, transform.centre_y) == (80, 70)
    assert transform.edge_px == pytest.approx(81)


pictures = st.tuples(st.integers(40, 400), st.integers(40, 400))


def corners_of(square: CropTransform) -> np.ndarray:
    return square.to_source(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=float), 1)


@given(transforms, pictures, st.floats(1, 100))
@settings(max_examples=200, deadline=None)
def test_a_fitted_square_leaves_its_picture_only_for_the_face_itself(
    square: CropTransform, size: tuple[int, int], face_px: float
) -> None:
    """Whatever the angle, all corners lie inside, unless the square has shrunk to the face."""
    fitted = fit_in_picture(square, size, min(face_px, square.edge_px))
    corners = corners_of(fitted)
    is_inside = (corners >= -1e-6).all() and (corners <= np.array(size) + 1e-6).all()
    assert is_inside or fitted.edge_px == pytest.approx(min(face_px, square.edge_px))
    assert fitted.edge_px <= square.edge_px
    assert fitted.angle_degrees == square.angle_degrees
    assert fit_in_picture(fitted, size, min(face_px, square.edge_px)) == fitted


@given(transforms, pictures)
@settings(max_examples=200, deadline=None)
def test_a_square_inside_its_picture_stays_as_it_is(
    square: CropTransform, size: tuple[int, int]
) -> None:
    """Fitting changes a square if, and only if, a corner of it lies beyond the border."""
    corners = corners_of(square)
    is_inside = bool((corners >= 0).all() and (corners <= np.array(size)).all())
    fitted = fit_in_picture(square, size, 1.0)
    assert np.allclose(corners_of(fitted), corners, atol=1e-9) == is_inside


@given(transforms, pictures, st.integers(0, 100), st.integers(0, 100))
@settings(max_examples=100, deadline=None)
def test_a_larger_picture_never_gives_a_smaller_crop(
    square: CropTransform, size: tuple[int, int], wider: int, higher: int
) -> None:
    """The edge grows with the picture and with the square, and never above the square's own."""
    edge = fit_in_picture(square, size, 10.0).edge_px
    larger = (size[0] + wider, size[1] + higher)
    assert fit_in_picture(square, larger, 10.0).edge_px >= edge
    grown = CropTransform(
        square.centre_x, square.centre_y, square.edge_px * 1.2, square.angle_degrees
    )
    assert fit_in_picture(grown, size, 10.0).edge_px >= edge


@given(st.integers(0, 300), st.integers(0, 200), st.integers(20, 200), st.floats(0, 2))
@settings(max_examples=200, deadline=None)
def test_what_the_picture_shows_of_an_upright_face_stays_in_its_crop(
    left: int, top: int, edge: int, margin: float
) -> None:
    """However far a crop moves, the face's box lies in it as far as it lies in the picture."""
    picture = (400, 300)
    faces = FACES.model_copy(update={"margin": margin})
    corners = corners_of(crop_transform(face_at(left, top, edge), faces, picture))
    (x, y), (right, bottom) = corners[0], corners[2]
    assert x <= left + 1e-9
    assert y <= top + 1e-9
    assert right >= min(left + edge, 400) - 1e-9
    assert bottom >= min(top + edge, 300) - 1e-9


def test_a_close_up_gives_up_its_margin_before_anything_is_filled_in() -> None:
    """A face of 80 px in 100 x 140 px: the crop has 100 px, moved down to the upper edge."""
    face = face_at(10, 5, 80)
    square = crop_transform(face, FACES.model_copy(update={"margin": 0.5}), (100, 140))
    assert square == CropTransform(50.0, 50.0, 100.0, 0.0)
    assert reflected_share(square, 100, 140) == 0.0


def test_a_face_that_leaves_its_picture_is_filled_in_evenly() -> None:
    """A face of 80 px in a strip 60 px wide keeps its 80 px, with 10 px beyond on each side."""
    square = crop_transform(face_at(-15, 20, 80), FACES, (60, 200))
    assert square == CropTransform(30.0, 60.0, 80.0, 0.0)
    assert reflected_share(square, 60, 200) == pytest.approx(0.25)


@pytest.mark.parametrize("margin", [0.0, 0.25, 1.0])
def test_face_networks_err_alike_for_the_widest_and_the_narrowest_crop(margin: float) -> None:
    """A face is enlarged at one end by the factor by which it is reduced at the other."""
    fitted = FACES.model_copy(update={"margin": margin, "fit_in_picture": True})
    told = 1.0 + fitted.window_margin
    assert told / 1.0 == pytest.approx((1.0 + margin) / told)
    plain = fitted.model_copy(update={"fit_in_picture": False})
    assert plain.window_margin == margin


def test_without_fitting_crops_are_those_of_older_models() -> None:
    """A preparation that says nothing of fitting crops around the face's centre, as before."""
    stored = {name: value for name, value in FACES if name != "fit_in_picture"}
    square = crop_transform(face_at(10, 5, 80), FaceParameters(**stored), (100, 140))
    assert square == CropTransform(50.0, 45.0, pytest.approx(108.0), 0.0)


def test_an_upright_crop_at_its_own_size_is_the_picture_itself() -> None:
    """A square of whole pixels, not turned and not scaled, is cut out bit for bit."""
    picture = smooth_picture(120, 100)
    crop = crop_face(picture, CropTransform(50.0, 40.0, 32.0), 32)
    assert np.array_equal(crop, np.asarray(picture)[24:56, 34:66])


@pytest.mark.parametrize("angle", [0.0, 30.0, -75.0])
@pytest.mark.parametrize("edge", [40.0, 100.0, 230.0])
def test_a_point_lands_where_the_transform_says(angle: float, edge: float) -> None:
    """A disc in the source is found in the crop where `to_crop` puts its centre, still round."""
    transform = CropTransform(150.0, 110.0, edge, angle)
    x, y = transform.to_source(np.array([[0.35 * 64, 0.6 * 64]]), 64)[0]
    crop = crop_face(disc(300, 220, x, y, edge / 8), transform, 64)
    assert centroid(crop) == pytest.approx((0.35 * 64, 0.6 * 64), abs=0.15)
    bright = crop[..., 0] > 127
    assert abs(int(bright.any(axis=0).sum()) - int(bright.any(axis=1).sum())) <= 1


@pytest.mark.parametrize("angle", [-35.0, 10.0, 90.0])
def test_turning_the_picture_turns_the_crop_with_it(angle: float) -> None:
    """A picture turned about the face gives the crop that the picture gave before it was turned."""
    picture = smooth_picture(240, 240)
    turned = picture.rotate(-angle, Image.Resampling.BICUBIC)
    before = crop_face(picture, CropTransform(120, 120, 100), 64)
    after = crop_face(turned, CropTransform(120, 120, 100, angle), 64)
    assert np.abs(before.astype(int) - after).mean() < 1.5


@pytest.mark.parametrize("angle", [0.0, 20.0])
def test_beyond_the_border_the_picture_is_reflected(angle: float) -> None:
    """A crop that leaves the picture is that of the picture padded by reflection, softened."""
    picture = smooth_picture(60, 80)
    padded = Image.fromarray(
        np.pad(np.asarray(picture), ((200, 200), (200, 200), (0, 0)), "reflect")
    )
    transform = CropTransform(5.0, 70.0, 70.0, angle)
    crop = crop_face(picture, transform, 48)
    reflected = crop_face(padded, CropTransform(205.0, 270.0, 70.0, angle), 48)
    beyond = distance_beyond(transform, picture.size, 48)
    assert np.array_equal(crop[beyond == 0.0], reflected[beyond == 0.0])
    assert np.array_equal(crop, soften_beyond(Image.fromarray(reflected), beyond))


def test_features_beyond_the_border_are_gone() -> None:
    """Outside, black and white become nearly one grey; inside they keep their contrast."""
    pattern = np.indices((100, 100)).sum(axis=0) % 2 * 255
    picture = Image.fromarray(np.repeat(pattern[..., None], 3, axis=2).astype(np.uint8))
    transform = CropTransform(0.0, 50.0, 100.0)
    crop, beyond = crop_face(picture, transform, 100), distance_beyond(transform, (100, 100), 100)
    assert np.ptp(crop[beyond == 0.0]) == 255
    assert np.ptp(crop[beyond > 0.12]) < 255 / 8


def test_the_distance_beyond_the_border_is_in_edges() -> None:
    """Half an edge to the left of the picture is 0.5, inside is 0, past a corner is Euclid's."""
    beyond = distance_beyond(CropTransform(0.0, 0.0, 40.0), (400, 400), 4)
    assert beyond[3, 3] == 0.0
    assert beyond[3, 0] == pytest.approx(0.375)
    assert beyond[0, 0] == pytest.approx(math.hypot(0.375, 0.375))


@given(st.integers(-300, 300), st.integers(1, 200), st.integers(1, 40))
@settings(max_examples=50, deadline=None)
def test_reflection_is_numpys(start: int, count: int, length: int) -> None:
    """Indices folded back are those of numpy's reflecting pad, however far out."""
    padded = np.pad(np.arange(length), 600, mode="reflect" if length > 1 else "edge")
    indices = reflected_indices(start, count, length)
    assert np.array_equal(indices, padded[600 + start : 600 + start + count])


def test_the_reflected_share_is_the_area_beyond_the_border() -> None:
    """Inside it is 0, half over the edge a half, far outside 1, and turning keeps the centre."""
    assert reflected_share(CropTransform(50, 50, 40, 30.0), 100, 100) == 0.0
    assert reflected_share(CropTransform(0, 50, 40), 100, 100) == pytest.approx(0.5)
    assert reflected_share(CropTransform(-90, 50, 40), 100, 100) == 1.0
    assert reflected_share(CropTransform(0, 50, 40, 37.0), 100, 100) == pytest.approx(0.5, abs=0.02)


def test_shrinking_is_antialiased() -> None:
    """A fine chequerboard becomes even grey, whether the crop is turned or not."""
    board = (np.indices((400, 400)).sum(axis=0) % 2 * 255).astype(np.uint8)
    picture = Image.fromarray(board).convert("RGB")
    for angle in (0.0, 30.0):
        crop = crop_face(picture, CropTransform(200, 200, 250, angle), 32)
        assert np.abs(crop.astype(int) - 127).max() <= 3


def test_the_centre_of_a_picture_is_its_largest_square() -> None:
    """Without a face the crop is the middle, over the shorter edge."""
    assert centre_transform(300, 200) == CropTransform(150.0, 100.0, 200.0, 0.0)


def test_a_single_pixel_can_be_cropped() -> None:
    """The smallest picture of all gives an even crop instead of an error."""
    picture = Image.new("RGB", (1, 1), (10, 20, 30))
    crop = crop_face(picture, CropTransform(0.5, 0.5, math.pi, 12.0), 16)
    assert (crop == (10, 20, 30)).all()
