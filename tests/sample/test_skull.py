from dataclasses import replace

import numpy as np
import pytest
from support.drawn_people import average_person

from portrait_pipeline.sample.capture import Capture
from portrait_pipeline.sample.geometry import GRID_SIZE
from portrait_pipeline.sample.identity import draw_identity
from portrait_pipeline.sample.skull import lay_out, make_face_relief, skull_depth, skull_width


@pytest.mark.parametrize("seed", range(12))
def test_features_are_in_order_from_brow_to_chin(capture: Capture, seed: int) -> None:
    """Whoever it is, brows lie above eyes, then nose, mouth and chin, and eyes beside the nose."""
    at = lay_out(draw_identity(np.random.default_rng(seed)), capture.expression)
    assert at.brow_y < at.eye_y < at.nose_y < at.mouth_y < at.chin_y
    assert 0.0 < at.nose_half_width < at.eye_x
    assert at.eye_opening > 0.0


@pytest.mark.parametrize("profile", [skull_width, skull_depth])
def test_profiles_close_at_crown_and_chin(profile: object) -> None:
    """A profile rises from 0 at the crown, is positive between, and ends with 0 at the chin."""
    for seed in range(8):
        points = profile(draw_identity(np.random.default_rng(seed)))  # type: ignore[operator]
        heights, values = np.array(points).T
        assert (np.diff(heights) > 0.0).all()
        assert values[0] == values[-1] == 0.0
        assert (values[1:-1] > 0.0).all()


def test_a_smile_widens_the_mouth(capture: Capture) -> None:
    """With a smile the mouth is wider and the face's relief another."""
    person, grave = average_person(), replace(capture.expression, smile=0.0)
    glad = replace(grave, smile=1.0)
    at_rest, smiling = lay_out(person, grave), lay_out(person, glad)
    assert smiling.mouth_half_width > at_rest.mouth_half_width
    reliefs = [
        make_face_relief(person, face, at).height
        for face, at in ((grave, at_rest), (glad, smiling))
    ]
    assert reliefs[0].shape == (GRID_SIZE, GRID_SIZE)
    assert not np.array_equal(*reliefs)


def test_the_nose_stands_out(capture: Capture) -> None:
    """The highest point of the relief is the tip of the nose, on the middle line."""
    at = lay_out(average_person(), capture.expression)
    height = make_face_relief(average_person(), capture.expression, at).height
    _, column = np.unravel_index(height.argmax(), height.shape)
    assert abs(column - (GRID_SIZE - 1) / 2) <= 1
