"""Boxes between the networks of the cascade, for all pictures of a batch in one table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torchvision.ops import batched_nms

from portrait_pipeline.faces.found import FoundFaces


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


def found_faces(
    candidates: Candidates, points: Float[Tensor, "faces 10"], threshold: float
) -> FoundFaces:
    """Take the candidates above the threshold, with the third network's points and offsets."""
    rows = candidates.scores > threshold
    kept = candidates.take(rows)
    spans = kept.boxes[:, 2:] - kept.boxes[:, :2] + 1
    unit = points[rows].view(-1, 2, 5).transpose(1, 2)
    landmarks = unit * spans[:, None] + kept.boxes[:, None, :2] - 1
    columns = (kept.picture, regressed(kept.boxes, kept.offsets), kept.scores, landmarks)
    return FoundFaces(*(column.cpu().numpy() for column in columns))


def regressed(
    boxes: Float[Tensor, "faces 4"], offsets: Float[Tensor, "faces 4"]
) -> Float[Tensor, "faces 4"]:
    """Move the edges of each box by the offsets, in units of its width and height in pixels."""
    spans = (boxes[:, 2:] - boxes[:, :2] + 1).repeat(1, 2)
    return boxes + offsets * spans
