"""Has anything in the face moved? The distance between landmarks of portrait and photograph.

The landmarks are compared where they stand, without aligning them: photo and portrait share one
crop, so a face that slid, grew or turned in the portrait is an error that a viewer sees.
"""

import numpy as np
from jaxtyping import Float, Float64

LEFT_EYE = slice(36, 42)
RIGHT_EYE = slice(42, 48)
"""The image's left and right, in the order of iBUG 300-W."""

Landmarks = Float[np.ndarray, "faces 68 2"]


def landmark_errors(portraits: Landmarks, photos: Landmarks) -> Float64[np.ndarray, " faces"]:
    """Compute the mean distance of 68 landmarks in units of the photo's eye distance, per face.

    The normalised mean error of face alignment (iBUG 300-W) between centres of the eyes, with the
    photograph in the role of the truth. 0 is a perfect match; it has no upper bound.

    Raises:
        ValueError: if the two are not landmarks of the same number of faces.
    """
    if portraits.shape != photos.shape or photos.shape[1:] != (68, 2):
        raise ValueError(
            f"portraits have landmarks of shape {portraits.shape}, photos {photos.shape};"
            " expected (faces, 68, 2) of the same pictures"
        )
    distances = np.linalg.norm(portraits.astype(np.float64) - photos, axis=2).mean(axis=1)
    errors: Float64[np.ndarray, " faces"] = distances / eye_distances(photos)
    return errors


def eye_distances(landmarks: Landmarks) -> Float64[np.ndarray, " faces"]:
    """Measure the distance between the centres of the eyes, in the unit of the landmarks.

    Raises:
        ValueError: if it is zero for a face.
    """
    wide = landmarks.astype(np.float64)
    across = wide[:, LEFT_EYE].mean(axis=1) - wide[:, RIGHT_EYE].mean(axis=1)
    distances: Float64[np.ndarray, " faces"] = np.linalg.norm(across, axis=1)
    if (distances == 0.0).any():
        raise ValueError("both eyes of a face are in one place: these are no landmarks")
    return distances
