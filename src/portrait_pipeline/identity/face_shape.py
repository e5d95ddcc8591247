"""The geometry judge: the shape of a face from its landmarks, as a descriptor of who it is.

Position, size and tilt are removed (they are the crop's, not the person's), and what is left is
weighed by how much faces differ in it. Landmarks hold pose and expression beside the build of the
face: finding a person again by them means that all three were kept. They say nothing of skin, hair
or eyes.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from jaxtyping import Float, Float64

from portrait_pipeline.errors import PortraitPipelineError

SHAPE_STATISTICS_FILE = "shape_statistics.json"

Landmarks = Float[np.ndarray, "faces 68 2"]


@dataclass(frozen=True)
class ShapeStatistics:
    """How real faces differ in shape.

    Attributes:
        mean: Mean shape, centred at the origin, of length one.
        directions: The principal components of aligned shapes, each divided by its standard
            deviation, so that every value of a descriptor has variance one over those faces.
    """

    mean: Float64[np.ndarray, "68 2"]
    directions: Float64[np.ndarray, "values 136"]


def shape_descriptors(
    landmarks: Landmarks, statistics: ShapeStatistics | None = None
) -> Float64[np.ndarray, "faces values"]:
    """Describe the shape of each face so that the cosine of two says how alike they are.

    Shapes are aligned to the mean face (ordinary Procrustes analysis, Dryden and Mardia 2016,
    section 4.2), the mean is subtracted, and the rest is projected onto whitened principal
    components: strangers then have cosines around 0, as with a centred face embedding.

    Args:
        landmarks: 68 points for each face, in any unit.
        statistics: How faces differ; by default those shipped with the project.
    """
    known = statistics or shipped_statistics()
    departures = (align_shapes(landmarks, known.mean) - known.mean).reshape(len(landmarks), -1)
    descriptors: Float64[np.ndarray, "faces values"] = departures @ known.directions.T
    return descriptors


def align_shapes(
    landmarks: Landmarks, mean: Float64[np.ndarray, "68 2"]
) -> Float64[np.ndarray, "faces 68 2"]:
    """Move each shape to the origin, give it length one and turn it to fit the mean best."""
    centred = landmarks.astype(np.float64) - landmarks.mean(axis=1, keepdims=True)
    points = centred[..., 0] + 1j * centred[..., 1]
    target = mean[:, 0] + 1j * mean[:, 1]
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    turn = (points.conj() * target).sum(axis=1, keepdims=True)
    points *= turn / np.abs(turn)
    return np.stack([points.real, points.imag], axis=-1)


def fit_statistics(landmarks: Landmarks, num_directions: int) -> ShapeStatistics:
    """Learn from many faces their mean shape and the directions in which they differ most.

    Generalised Procrustes analysis: align to the mean, average, until the mean rests.

    Raises:
        PortraitPipelineError: if there are not more faces than directions.
    """
    if len(landmarks) <= num_directions:
        raise PortraitPipelineError(
            f"{len(landmarks)} faces cannot give {num_directions} directions, expected more faces"
        )
    mean = landmarks[0] - landmarks[0].mean(axis=0)
    for _ in range(10):
        mean = align_shapes(landmarks, mean).mean(axis=0)
        mean /= np.linalg.norm(mean)
    departures = (align_shapes(landmarks, mean) - mean).reshape(len(landmarks), -1)
    _, lengths, components = np.linalg.svd(departures, full_matrices=False)
    deviations = lengths[:num_directions] / np.sqrt(len(landmarks))
    return ShapeStatistics(mean, components[:num_directions] / deviations[:, None])


@cache
def shipped_statistics() -> ShapeStatistics:
    """Read the statistics of the faces named in the file beside this module."""
    text = resources.files(__package__).joinpath(SHAPE_STATISTICS_FILE).read_text("utf-8")
    values = json.loads(text)
    return ShapeStatistics(np.array(values["mean"]), np.array(values["directions"]))
