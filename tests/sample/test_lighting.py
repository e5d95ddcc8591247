import numpy as np
import pytest
from support.drawn_people import average_person

from portrait_pipeline.sample.capture import Capture, Pose
from portrait_pipeline.sample.lighting import (
    MATT_WRAP,
    cast_shadow,
    diffuse,
    facing_camera,
    highlight,
    turn_light,
)
from portrait_pipeline.sample.skull import lay_out, make_face_relief, make_skull


def _field(vector: np.ndarray) -> np.ndarray:
    return vector.astype(np.float32).reshape(3, 1, 1)


def test_a_surface_towards_the_lamp_is_brightest(capture: Capture) -> None:
    """Light falls from the side of the key lamp to the side away from it, never below 0."""
    lamps = facing_camera(capture.light)
    towards, away = (
        diffuse(_field(lamps.key), lamps, 0.0, MATT_WRAP),
        diffuse(_field(-lamps.key), lamps, 0.0, MATT_WRAP),
    )
    assert (towards > away).all()
    assert (away >= 0.0).all()


def test_shadow_takes_light_away(capture: Capture) -> None:
    """In full shadow less light arrives than without, but the fill and the ambient light stay."""
    lamps = facing_camera(capture.light)
    normal = _field(lamps.key)
    assert (diffuse(normal, lamps, 1.0, MATT_WRAP) < diffuse(normal, lamps, 0.0, MATT_WRAP)).all()
    assert (diffuse(normal, lamps, 1.0, MATT_WRAP) > 0.0).all()


def test_a_highlight_is_1_half_way_between_lamp_and_viewer(capture: Capture) -> None:
    """There the normal is the half vector; harder highlights are narrower elsewhere."""
    lamps = facing_camera(capture.light)
    half = lamps.key + lamps.viewer
    half = half / np.linalg.norm(half)
    assert highlight(_field(half), lamps, 20.0).item() == pytest.approx(1.0, abs=1e-4)
    assert highlight(_field(lamps.viewer), lamps, 40.0) < highlight(
        _field(lamps.viewer), lamps, 10.0
    )


def test_lamps_turn_against_the_head(capture: Capture) -> None:
    """In the axes of a head that is not turned the lamps stand where they stand for the camera."""
    straight = turn_light(capture.light, Pose(0.0, 0.0, 0.0, 0.3, 0.1, 0.5))
    np.testing.assert_allclose(straight.key, capture.light.key_direction, atol=1e-6)
    turned = turn_light(capture.light, Pose(0.4, 0.0, 0.0, 0.3, 0.1, 0.5))
    assert not np.allclose(turned.key, capture.light.key_direction, atol=0.1)


def test_the_nose_casts_a_shadow(capture: Capture) -> None:
    """Shadow and occlusion lie in [0, 1] and are somewhere; a face has no shadow everywhere."""
    person = average_person()
    at = lay_out(person, capture.expression)
    lamps = turn_light(capture.light, capture.pose)
    relief = make_face_relief(person, capture.expression, at)
    for plane in cast_shadow(make_skull(person), relief, lamps):
        assert plane.min() >= 0.0
        assert plane.max() <= 1.0
        assert plane.max() > 0.05
        assert plane.mean() < 0.5
