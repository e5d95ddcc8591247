"""Shapes of faces: blind to place, size and tilt where they should be, and only there."""

import numpy as np
import pytest

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.identity.face_shape import (
    align_shapes,
    fit_statistics,
    shape_descriptors,
    shipped_statistics,
)

MEAN = shipped_statistics().mean
RNG = np.random.default_rng(0)
FACES = MEAN + RNG.normal(scale=0.01, size=(90, 68, 2))


def moved(shapes: np.ndarray, scale: float, angle: float, shift: tuple[float, float]) -> np.ndarray:
    """Apply a similarity to every shape."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return scale * shapes @ turn.T + np.array(shift)


def test_descriptors_do_not_see_the_crop() -> None:
    """Place, size and tilt are the crop's: the descriptor stays."""
    expected = shape_descriptors(FACES)
    found = shape_descriptors(moved(FACES, 55.0, 0.2, (30.0, -4.0)))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_descriptors_see_the_face() -> None:
    """A wider mouth moves the descriptor."""
    wider = FACES.copy()
    wider[:, 48:, 0] *= 1.2
    assert np.abs(shape_descriptors(wider) - shape_descriptors(FACES)).max(axis=1).min() > 0.1


def test_the_mean_face_has_no_direction() -> None:
    """Descriptors are centred on the mean shape."""
    assert np.abs(shape_descriptors(MEAN[None])).max() < 1e-3


def test_aligned_shapes_fit_the_mean_best() -> None:
    """Ordinary Procrustes: centred, of length one, and no further turn brings them nearer."""
    aligned = align_shapes(moved(FACES, 3.0, -0.4, (1.0, 2.0)), MEAN)
    np.testing.assert_allclose(aligned.mean(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(aligned, axis=(1, 2)), 1.0)
    distance = np.linalg.norm(aligned - MEAN, axis=(1, 2))
    for angle in (-0.01, 0.01):
        turned = moved(aligned, 1.0, angle, (0.0, 0.0))
        assert (np.linalg.norm(turned - MEAN, axis=(1, 2)) > distance).all()


def test_fitted_statistics_whiten_their_faces() -> None:
    """Over the faces they were learnt from, descriptors have mean zero and covariance one."""
    statistics = fit_statistics(moved(FACES, 9.0, 0.3, (5.0, 5.0)), 10)
    descriptors = shape_descriptors(FACES, statistics)
    np.testing.assert_allclose(descriptors.mean(axis=0), 0.0, atol=0.02)
    np.testing.assert_allclose(descriptors.T @ descriptors / len(FACES), np.eye(10), atol=0.02)


def test_too_few_faces_are_refused() -> None:
    """Ten directions need more than ten faces."""
    with pytest.raises(PortraitPipelineError, match="10 faces cannot give 10 directions"):
        fit_statistics(FACES[:10], 10)
