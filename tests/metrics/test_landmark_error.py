"""The landmark error sees whatever moved in the face, in units of the photo's eye distance."""

import numpy as np
import pytest

from portrait_pipeline.identity.face_shape import shipped_statistics
from portrait_pipeline.metrics.landmark_error import eye_distances, landmark_errors

MEAN = shipped_statistics().mean
RNG = np.random.default_rng(0)
FACES = MEAN + RNG.normal(scale=0.01, size=(90, 68, 2))


def test_the_same_landmarks_have_no_error() -> None:
    """A photo against itself."""
    assert landmark_errors(FACES, FACES).max() == 0.0


def test_a_shifted_face_has_its_shift_in_eye_distances() -> None:
    """A face that slid by a tenth of the eye distance has an error of a tenth, at any scale."""
    for scale in (1.0, 64.0):
        photos = FACES * scale
        shift = np.zeros_like(photos)
        shift[..., 0] = 0.1 * eye_distances(photos)[:, None]
        np.testing.assert_allclose(landmark_errors(photos + shift, photos), 0.1)


def test_landmarks_of_other_pictures_are_refused() -> None:
    """Shapes must agree, be 68 points, and have two eyes."""
    with pytest.raises(ValueError, match=r"expected \(faces, 68, 2\)"):
        landmark_errors(FACES[:3], FACES)
    with pytest.raises(ValueError, match="both eyes of a face are in one place"):
        eye_distances(np.ones((1, 68, 2)))
