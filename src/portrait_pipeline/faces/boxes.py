"""Boxes between the networks of the face detector."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Int64


@dataclass(frozen=True)
class Boxes:
    """Windows of one picture that may hold a face, one row each, in pixels.

    Attributes:
        edges: Left, top, right, bottom.
        scores: Probability of a face, in [0, 1].
        offsets: How far the network moves each edge, in units of the box.
    """

    edges: Float32[np.ndarray, "faces 4"]
    scores: Float32[np.ndarray, " faces"]
    offsets: Float32[np.ndarray, "faces 4"]

    @staticmethod
    def joined(parts: Sequence["Boxes"]) -> "Boxes":
        """Return all rows of several tables."""
        return Boxes(
            np.concatenate([part.edges for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.offsets for part in parts]),
        )

    def take(self, rows: Int64[np.ndarray, " some"] | Bool[np.ndarray, " faces"]) -> "Boxes":
        """Return some rows, by index or by mask."""
        return Boxes(self.edges[rows], self.scores[rows], self.offsets[rows])

    def at(self, edges: Float32[np.ndarray, "faces 4"]) -> "Boxes":
        """Return the same candidates with other edges."""
        return replace(self, edges=edges)

    def without_overlaps(self, threshold: float) -> "Boxes":
        """Of boxes that overlap by an IoU above `threshold`, keep the likeliest."""
        order = np.argsort(-self.scores, kind="stable")
        areas = (self.edges[:, 2:] - self.edges[:, :2]).prod(axis=1)
        kept = []
        while len(order):
            first, rest = order[0], order[1:]
            kept.append(first)
            shared = _intersection(self.edges[first], self.edges[rest])
            union = areas[first] + areas[rest] - shared
            order = rest[shared <= np.float32(threshold) * union]
        return self.take(np.array(kept, dtype=np.int64))

    def squared(self) -> "Boxes":
        """Widen every box to a square around its centre."""
        low, high = self.edges[:, :2], self.edges[:, 2:]
        edge = (high - low).max(axis=1, keepdims=True, initial=0.0)
        corner = (low + high) / np.float32(2) - edge / np.float32(2)
        return self.at(np.concatenate([corner, corner + edge], axis=1))

    def regressed(self, extra: float = 1.0) -> "Boxes":
        """Move the edges by the offsets, in units of the box plus `extra` pixels."""
        spans = self.edges[:, 2:] - self.edges[:, :2] + np.float32(extra)
        return self.at(self.edges + self.offsets * np.tile(spans, (1, 2)))

    def windows(self, width_px: int, height_px: int) -> Int64[np.ndarray, "faces 4"]:
        """Return whole pixels inside the picture: left, top, and right, bottom excluded."""
        whole = np.trunc(self.edges).astype(np.int64)
        low = np.maximum(whole[:, :2], 1) - 1
        high = np.minimum(whole[:, 2:], (width_px, height_px))
        return np.concatenate([low, high], axis=1)

    def inside(self, width_px: int, height_px: int) -> "Boxes":
        """Drop the boxes of which nothing lies inside the picture."""
        windows = self.windows(width_px, height_px)
        return self.take(np.asarray((windows[:, 2:] > windows[:, :2]).all(axis=1)))


def _intersection(
    box: Float32[np.ndarray, " 4"], others: Float32[np.ndarray, "others 4"]
) -> Float32[np.ndarray, " others"]:
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    spans: Float32[np.ndarray, "others 2"] = np.maximum(high - low, np.float32(0))
    return np.asarray(spans.prod(axis=1))
