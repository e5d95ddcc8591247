import numpy as np
import pytest

from portrait_pipeline.sample.capture import Pose
from portrait_pipeline.sample.geometry import grid_axes, make_relief, make_shell, project, read_grid

EGG = make_shell(
    [(-1.0, 0.0), (-0.5, 0.6), (0.5, 0.6), (1.0, 0.0)], [(-1.0, 0.0), (0.0, 0.8), (1.0, 0.0)]
)
WHOLE = (slice(0, 96), slice(0, 96))


def _pose(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Pose:
    return Pose(yaw, pitch, roll, 0.0, 0.0, 0.8)


def test_straight_ahead_every_pixel_shows_its_own_place() -> None:
    """Without a turn, x and y on the shell are x and y of the frame over the scale."""
    seen = project(EGG, None, _pose(), 96, WHOLE)
    middle = seen.cover > 0.99
    line = (np.arange(96) + 0.5) / 48.0 - 1.0
    expected_x, expected_y = np.meshgrid(line / 0.8, line / 0.8)
    np.testing.assert_allclose(seen.x[middle], expected_x[middle], atol=5e-3)
    np.testing.assert_allclose(seen.y[middle], expected_y[middle], atol=1e-5)


@pytest.mark.parametrize(("yaw", "pitch"), [(0.3, 0.0), (-0.2, 0.1), (0.0, -0.15)])
def test_a_turned_head_shows_a_point_where_rotation_puts_it(yaw: float, pitch: float) -> None:
    """The point that a pixel shows, rotated by the pose, stands at that pixel."""
    x, y = grid_axes()
    relief = make_relief((0.1 * np.exp(-8.0 * (x * x + y * y))).astype(np.float32))
    pose = _pose(yaw, pitch)
    seen = project(EGG, relief, pose, 96, WHOLE)
    front = (seen.cover > 0.99) & (np.abs(seen.theta) < 1.0) & (np.abs(seen.y) < 0.7)
    depth = np.interp(seen.y, np.linspace(-1.7, 3.0, 471), EGG.depth) * np.cos(seen.theta)
    depth = depth + read_grid(relief.height, seen.x, seen.y)
    turned = np.einsum("ij,jhw->ihw", pose.rotation(), np.stack((seen.x, seen.y, depth)))
    line = ((np.arange(96) + 0.5) / 48.0 - 1.0) / 0.8
    expected_x, expected_y = np.meshgrid(line, line)
    np.testing.assert_allclose(turned[0][front], expected_x[front], atol=0.02)
    np.testing.assert_allclose(turned[1][front], expected_y[front], atol=0.02)


def test_normals_are_unit_vectors_that_face_outwards() -> None:
    """Normals have length 1, face the viewer in the middle and sideways at the edge."""
    seen = project(EGG, None, _pose(), 96, WHOLE)
    inside = seen.cover > 0.99
    lengths = np.linalg.norm(seen.normal, axis=0)[inside]
    np.testing.assert_allclose(lengths, 1.0, atol=1e-3)
    assert seen.normal[2, 48, 48] > 0.99
    assert (np.sign(seen.normal[0]) == np.sign(seen.x))[inside & (np.abs(seen.x) > 0.1)].all()
