"""A found face as a value, and which of several faces in a picture is the one that counts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from portrait_pipeline.parameters import FaceParameters

Point = tuple[float, float]
Landmarks = tuple[Point, Point, Point, Point, Point]
FaceFault = Literal["no face", "low probability", "too small"]


@dataclass(frozen=True)
class Detection:
    """One face, in pixels of the upright source picture (x to the right, y down).

    Attributes:
        box: Left, top, right, bottom; may reach beyond the picture.
        landmarks: Eye at the left of the picture, eye at the right, nose, left and right corner
            of the mouth.
        probability: The detector's own, in [0, 1].
    """

    box: tuple[float, float, float, float]
    landmarks: Landmarks
    probability: float

    @staticmethod
    def of_arrays(
        box: Float[np.ndarray, "4"], landmarks: Float[np.ndarray, "5 2"], probability: float
    ) -> "Detection":
        """Take a detection from a row of a network's output."""
        left, top, right, bottom = (float(value) for value in box)
        first, second, nose, fourth, fifth = ((float(x), float(y)) for x, y in landmarks)
        return Detection(
            (left, top, right, bottom), (first, second, nose, fourth, fifth), float(probability)
        )

    @property
    def edge_px(self) -> float:
        """The shorter edge of the box: what `min_face_px` is compared with."""
        left, top, right, bottom = self.box
        return min(right - left, bottom - top)

    @property
    def area_px(self) -> float:
        """Area of the box in square pixels: the largest face wins."""
        left, top, right, bottom = self.box
        return max(0.0, right - left) * max(0.0, bottom - top)

    def scaled(self, factor: float) -> "Detection":
        """Return the same face in a picture `factor` times as large."""
        left, top, right, bottom = self.box
        first, second, nose, fourth, fifth = ((x * factor, y * factor) for x, y in self.landmarks)
        return Detection(
            (left * factor, top * factor, right * factor, bottom * factor),
            (first, second, nose, fourth, fifth),
            self.probability,
        )


@dataclass(frozen=True)
class Finding:
    """What became of the search for a face in one picture.

    Attributes:
        detection: The face that counts, or the best of those that do not, or None.
        fault: Why `detection` does not count; None when it does.
        others: Further faces that count, the larger first; complete only where every face was
            asked for.
    """

    detection: Detection | None
    fault: FaceFault | None
    others: tuple[Detection, ...] = ()

    @property
    def face(self) -> Detection | None:
        """The face that counts, or None."""
        return self.detection if self.fault is None else None

    @property
    def faces(self) -> tuple[Detection, ...]:
        """All faces that count, the largest first."""
        return (self.face, *self.others) if self.face is not None else ()


def choose_face(candidates: Sequence[Detection], parameters: FaceParameters) -> Finding:
    """Choose the largest face above `min_probability` and `min_face_px`, or say what was wrong.

    Where none passes, the most probable candidate is kept with the reason against it.
    """
    usable = [
        face
        for face in candidates
        if face.probability >= parameters.min_probability and face.edge_px >= parameters.min_face_px
    ]
    if usable:
        largest, *others = sorted(usable, key=lambda face: -face.area_px)
        return Finding(largest, None, tuple(others))
    if not candidates:
        return Finding(None, "no face")
    best = max(candidates, key=lambda face: face.probability)
    is_probable = best.probability >= parameters.min_probability
    return Finding(best, "too small" if is_probable else "low probability")


def overlap(first: Detection, second: Detection) -> float:
    """Return the intersection of two boxes over their union, in [0, 1]."""
    width = min(first.box[2], second.box[2]) - max(first.box[0], second.box[0])
    height = min(first.box[3], second.box[3]) - max(first.box[1], second.box[1])
    intersection = max(0.0, width) * max(0.0, height)
    union = first.area_px + second.area_px - intersection
    return intersection / union if union > 0 and math.isfinite(union) else 0.0
