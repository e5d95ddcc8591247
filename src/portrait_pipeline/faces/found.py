"""The faces that a search found in a batch of pictures; needs no PyTorch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FoundFaces:
    """All faces of a batch, one row each, in pixels of the batch's canvas.

    Attributes:
        picture: int64 (faces,), which picture of the batch.
        boxes: float32 (faces, 4), left, top, right, bottom.
        probabilities: float32 (faces,), in [0, 1].
        landmarks: float32 (faces, 5, 2): eyes, nose, corners of the mouth; x and y.
    """

    picture: np.ndarray
    boxes: np.ndarray
    probabilities: np.ndarray
    landmarks: np.ndarray

    @staticmethod
    def none() -> "FoundFaces":
        """Return an empty table."""
        return FoundFaces(
            np.zeros(0, dtype=np.int64),
            np.zeros((0, 4), dtype=np.float32),
            np.zeros(0, dtype=np.float32),
            np.zeros((0, 5, 2), dtype=np.float32),
        )

    @staticmethod
    def joined(parts: Sequence["FoundFaces"]) -> "FoundFaces":
        """Return all rows of several tables."""
        return FoundFaces(
            np.concatenate([part.picture for part in parts]),
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.probabilities for part in parts]),
            np.concatenate([part.landmarks for part in parts]),
        )

    def take(self, rows: np.ndarray) -> "FoundFaces":
        """Return some rows, by index or by mask."""
        return FoundFaces(
            self.picture[rows], self.boxes[rows], self.probabilities[rows], self.landmarks[rows]
        )

    def of_picture(self, index: int) -> "FoundFaces":
        """Return the faces of one picture."""
        return self.take(self.picture == index)

    def without_nested(self, threshold: float) -> "FoundFaces":
        """Keep the likelier of two boxes that share `threshold` of the smaller one's area."""
        order = np.argsort(-self.probabilities, kind="stable")
        kept: list[int] = []
        for row in order:
            rivals = [other for other in kept if self.picture[other] == self.picture[row]]
            if not rivals or _shared(self.boxes[row], self.boxes[rivals]).max() <= threshold:
                kept.append(int(row))
        return self.take(np.array(sorted(kept), dtype=np.int64))


def _shared(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over the smaller area, whole pixels counted in."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    intersection = np.clip(high - low + 1, 0.0, None).prod(axis=1)
    area = (box[2:] - box[:2] + 1).prod()
    areas = (others[:, 2:] - others[:, :2] + 1).prod(axis=1)
    return np.asarray(intersection / np.minimum(area, areas))
