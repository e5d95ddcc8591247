import numpy as np
import pytest

from portrait_pipeline.sample.capture import Pose, draw_capture


@pytest.mark.parametrize("angles", [(0.0, 0.0, 0.0), (0.4, -0.1, 0.15), (-0.3, 0.15, -0.2)])
def test_a_rotation_keeps_lengths_and_has_an_inverse(angles: tuple[float, float, float]) -> None:
    """The rotation is orthogonal, and a direction turned into the head keeps its length."""
    pose = Pose(*angles, 0.0, 0.0, 0.6)
    np.testing.assert_allclose(pose.rotation() @ pose.rotation().T, np.eye(3), atol=1e-6)
    assert np.linalg.det(pose.rotation()) == pytest.approx(1.0, abs=1e-5)
    direction = np.array([0.6, 0.0, 0.8], np.float32)
    assert np.linalg.norm(pose.to_head(direction)) == pytest.approx(1.0, abs=1e-5)


def test_an_unturned_head_stands_where_it_is() -> None:
    """Without angles a point is at its own x and y, and directions are unchanged."""
    pose = Pose(0.0, 0.0, 0.0, 0.1, 0.2, 0.6)
    assert pose.place((0.3, -0.2, 0.7)) == pytest.approx((0.3, -0.2))
    direction = np.array([0.0, 0.6, 0.8], np.float32)
    np.testing.assert_allclose(pose.to_head(direction), direction, atol=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_captures_stay_in_their_ranges(seed: int) -> None:
    """Heads stay in the frame and face the camera; lamps are unit vectors in front of the face."""
    capture = draw_capture(np.random.default_rng(seed))
    pose, light, face = capture.pose, capture.light, capture.expression
    assert abs(pose.yaw) <= 0.42
    assert abs(pose.centre_x) + pose.scale * 0.75 < 1.0
    for direction in (light.key_direction, light.fill_direction):
        assert np.linalg.norm(direction) == pytest.approx(1.0, abs=1e-5)
        assert direction[2] > 0.0
    assert -0.4 <= face.smile <= 1.0
    assert 0.0 <= face.open_mouth <= 1.0
