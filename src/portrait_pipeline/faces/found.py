"""The faces that a search found in one picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64


@dataclass(frozen=True)
class FoundFaces:
    """All faces of one picture, one row each, in its pixels.

    Attributes:
        boxes: Left, top, right, bottom.
        probabilities: In [0, 1].
        landmarks: Eyes, nose, corners of the mouth; x and y.
    """

    boxes: Float32[np.ndarray, "faces 4"]
    probabilities: Float32[np.ndarray, " faces"]
    landmarks: Float32[np.ndarray, "faces 5 2"]

    @staticmethod
    def none() -> "FoundFaces":
        """Return an empty table."""
        return FoundFaces(
            np.zeros((0, 4), dtype=np.float32),
            np.zeros(0, dtype=np.float32),
            np.zeros((0, 5, 2), dtype=np.float32),
        )

    @staticmethod
    def joined(parts: Sequence["FoundFaces"]) -> "FoundFaces":
        """Return all rows of several tables."""
        return FoundFaces(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.probabilities for part in parts]),
            np.concatenate([part.landmarks for part in parts]),
        )

    def take(self, rows: Int64[np.ndarray, " some"] | Bool[np.ndarray, " faces"]) -> "FoundFaces":
        """Return some rows, by index or by mask."""
        return FoundFaces(self.boxes[rows], self.probabilities[rows], self.landmarks[rows])

    def without_nested(self, threshold: float) -> "FoundFaces":
        """Keep the likelier of two boxes that share `threshold` of the smaller one's area."""
        order = np.argsort(-self.probabilities, kind="stable")
        kept: list[int] = []
        for row in order:
            if not kept or _shared(self.boxes[row], self.boxes[kept]).max() <= threshold:
                kept.append(int(row))
        return self.take(np.array(sorted(kept), dtype=np.int64))


def _shared(
    box: Float32[np.ndarray, " 4"], others: Float32[np.ndarray, "others 4"]
) -> Float32[np.ndarray, " others"]:
    """Intersection over the smaller area, whole pixels counted in."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    intersection = np.clip(high - low + 1, 0.0, None).prod(axis=1)
    area = (box[2:] - box[:2] + 1).prod()
    areas = (others[:, 2:] - others[:, :2] + 1).prod(axis=1)
    return np.asarray(intersection / np.minimum(area, areas))
