"""Boxes between the networks of the cascade, for all pictures of a batch in one table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torchvision.ops import batched_nms


@dataclass(frozen=True)
class Candidates:
    """Windows that may hold a face, one row each, in pixels of the batch's canvas.

    Attributes:
        picture: Which picture of the batch.
        boxes: Left, top, right, bottom.
        scores: Probability of a face, in [0, 1].
        offsets: Where the network would rather have the edges, in units of the box.
    """

    picture: Int[Tensor, "faces"]
    boxes: Float[Tensor, "faces 4"]
    scores: Float[Tensor, "faces"]
    offsets: Float[Tensor, "faces 4"]

    @staticmethod
    def none(device: torch.device) -> "Candidates":
        """Return an empty table."""
        empty = torch.zeros((0, 4), device=device)
        return Candidates(
            torch.zeros(0, dtype=torch.int64, device=device), empty, empty[:, 0], empty
        )

    @staticmethod
    def joined(parts: Sequence["Candidates"]) -> "Candidates":
        """Return all rows of several tables."""
        return Candidates(
            torch.cat([part.picture for part in parts]),
            torch.cat([part.boxes for part in parts]),
            torch.cat([part.scores for part in parts]),
            torch.cat([part.offsets for part in parts]),
        )

    def take(self, rows: Tensor) -> "Candidates":
        """Return some rows, by index or by mask."""
        return Candidates(
            self.picture[rows], self.boxes[rows], self.scores[rows], self.offsets[rows]
        )

    def at(self, boxes: Float[Tensor, "faces 4"]) -> "Candidates":
        """Return the same candidates with other boxes."""
        return replace(self, boxes=boxes)

    def of_pictures(self, pictures: Int[Tensor, "some"]) -> "Candidates":
        """Return the candidates of some pictures."""
        return self.take(torch.isin(self.picture, pictures))

    def without_overlaps(self, threshold: float) -> "Candidates":
        """Keep of every heap of boxes of one picture (IoU above `threshold`) the likeliest."""
        return self.take(batched_nms(self.boxes, self.scores, self.picture, threshold))

    def squared(self) -> "Candidates":
        """Widen every box to a square around its centre."""
        low, high = self.boxes[:, :2], self.boxes[:, 2:]
        edge = (high - low).amax(dim=1, keepdim=True)
        corner = (low + high) / 2 - edge / 2
        return self.at(torch.cat([corner, corner + edge], dim=1))

    def windows(self, extents: Int[Tensor, "batch 2"]) -> Int[Tensor, "faces 4"]:
        """Return whole pixels inside each picture: left, top, and right, bottom excluded."""
        whole = self.boxes.trunc().long()
        low = whole[:, :2].clamp(min=1) - 1
        high = torch.minimum(whole[:, 2:], extents[self.picture])
        return torch.cat([low, high], dim=1)

    def inside(self, extents: Int[Tensor, "batch 2"]) -> "Candidates":
        """Drop the boxes of which nothing lies inside their picture."""
        windows = self.windows(extents)
        return self.take((windows[:, 2:] > windows[:, :2]).all(dim=1))


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
    def of(
        candidates: Candidates, points: Float[Tensor, "faces 10"], threshold: float
    ) -> "FoundFaces":
        """Take the candidates above the threshold, with the third network's points and offsets."""
        rows = candidates.scores > threshold
        kept = candidates.take(rows)
        spans = kept.boxes[:, 2:] - kept.boxes[:, :2] + 1
        unit = points[rows].view(-1, 2, 5).transpose(1, 2)
        landmarks = unit * spans[:, None] + kept.boxes[:, None, :2] - 1
        columns = (kept.picture, regressed(kept.boxes, kept.offsets), kept.scores, landmarks)
        return FoundFaces(*(column.cpu().numpy() for column in columns))

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

    def of_pictures(self, pictures: set[int]) -> "FoundFaces":
        """Return the faces of some pictures."""
        return self.take(np.isin(self.picture, sorted(pictures)))

    def without_nested(self, threshold: float) -> "FoundFaces":
        """Keep the likelier of two boxes that share `threshold` of the smaller one's area."""
        order = np.argsort(-self.probabilities, kind="stable")
        kept: list[int] = []
        for row in order:
            rivals = [other for other in kept if self.picture[other] == self.picture[row]]
            if not rivals or _shared(self.boxes[row], self.boxes[rivals]).max() <= threshold:
                kept.append(int(row))
        return self.take(np.array(sorted(kept), dtype=np.int64))


def regressed(
    boxes: Float[Tensor, "faces 4"], offsets: Float[Tensor, "faces 4"]
) -> Float[Tensor, "faces 4"]:
    """Move the edges of each box by the offsets, in units of its width and height in pixels."""
    spans = (boxes[:, 2:] - boxes[:, :2] + 1).repeat(1, 2)
    return boxes + offsets * spans


def _shared(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over the smaller area, whole pixels counted in."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    intersection = np.clip(high - low + 1, 0.0, None).prod(axis=1)
    area = (box[2:] - box[:2] + 1).prod()
    areas = (others[:, 2:] - others[:, :2] + 1).prod(axis=1)
    return np.asarray(intersection / np.minimum(area, areas))
