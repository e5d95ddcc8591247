"""MTCNN's search for the faces of one picture, over its three networks in any runtime.

Zhang et al. 2016, "Joint Face Detection and Alignment using Multitask Cascaded Convolutional
Networks"; thresholds, factor and order of the steps are facenet-pytorch's. Two things differ. Every
area mean is read from one integral image, so that all candidates are resampled at once. And the
windows are searched from large faces to small ones, so that a picture whose face is found never
pays for its smallest windows, which cost most.

Each picture is searched by itself, so that its faces depend on nothing but its own pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from portrait_pipeline.faces.area_means import Sums, area_level, area_patches, integral
from portrait_pipeline.faces.boxes import Boxes
from portrait_pipeline.faces.found import FoundFaces
from portrait_pipeline.faces.search_windows import CELL_PX, STRIDE_PX, level_size, window_groups

MAX_CANDIDATES_AT_ONCE = 256
REFINE_PX, OUTPUT_PX = 24, 48

Network = Callable[[Float32[np.ndarray, "batch 3 height width"]], Sequence[np.ndarray]]
"""Takes RGB in [0, 255], which it scales itself, and returns its outputs as arrays."""

Enough = Callable[[FoundFaces, float], bool]
"""Given all faces found so far and the smallest window searched: is a finer search needless?"""


@dataclass(frozen=True)
class FaceCascade:
    """MTCNN's networks and their settings.

    Attributes:
        propose: P-net: offsets and probabilities for every cell of a picture.
        refine: R-net: offsets and probabilities of patches of 24 px.
        output: O-net: offsets, landmarks and probabilities of patches of 48 px.
        thresholds: Least probability that each of them asks for.
        factor: From one window to the next smaller one, in (0, 1).
    """

    propose: Network
    refine: Network
    output: Network
    thresholds: tuple[float, float, float]
    factor: float

    def find(
        self, pixels: UInt8[np.ndarray, "height width 3"], min_window_px: float, enough: Enough
    ) -> FoundFaces | None:
        """Find the faces of one picture, or return None where no window fits into it.

        Args:
            pixels: RGB in [0, 255].
            min_window_px: Smallest face window to search for; below 12 it counts as 12.
            enough: Asked after each group of windows whether the search may end.
        """
        groups = window_groups(min(pixels.shape[:2]), min_window_px, self.factor)
        if not groups:
            return None
        sums = integral(pixels)
        found = FoundFaces.none()
        for windows in groups:
            proposals = [self._proposals(sums, window_px) for window_px in windows]
            fresh = self._faces(sums, Boxes.joined(proposals))
            found = FoundFaces.joined([found, fresh]).without_nested(0.7)
            if enough(found, windows[-1]):
                break
        return found

    def _proposals(self, sums: Sums, window_px: float) -> Boxes:
        """Run the first network over the picture, shrunk for one size of window."""
        level = area_level(sums, *level_size(*_size(sums), window_px))
        offsets, probabilities = self.propose(level)
        scores = probabilities[0, 1]
        row, column = np.nonzero(scores >= np.float32(self.thresholds[0]))
        corner = (np.stack([column, row], axis=1) * STRIDE_PX).astype(np.float32)
        shrink = np.float32(CELL_PX / window_px)
        low, high = np.floor((corner + 1) / shrink), np.floor((corner + CELL_PX) / shrink)
        edges = np.concatenate([low, high], axis=1).astype(np.float32)
        candidates = Boxes(edges, scores[row, column], offsets[0, :, row, column])
        return candidates.without_overlaps(0.5)

    def _faces(self, sums: Sums, proposals: Boxes) -> FoundFaces:
        """Run the second and third network over what the first one proposed."""
        size = _size(sums)
        kept = proposals.without_overlaps(0.7).regressed(extra=0.0).squared().inside(*size)
        offsets, probabilities = _run(self.refine, sums, kept, REFINE_PX)
        kept = Boxes(kept.edges, probabilities[:, 1], offsets)
        kept = kept.take(kept.scores > np.float32(self.thresholds[1])).without_overlaps(0.7)
        kept = kept.regressed().squared().inside(*size)
        offsets, points, probabilities = _run(self.output, sums, kept, OUTPUT_PX)
        kept = Boxes(kept.edges, probabilities[:, 1], offsets)
        rows = kept.scores > np.float32(self.thresholds[2])
        return _found(kept.take(rows), points[rows])


def _run(network: Network, sums: Sums, candidates: Boxes, size_px: int) -> list[np.ndarray]:
    """Run a network over the windows of all candidates, some hundreds at a time."""
    windows = candidates.windows(*_size(sums))
    if len(windows) == 0:
        # the networks do not run on nothing: give them one black patch and keep no row of it
        nothing = np.zeros((1, 3, size_px, size_px), dtype=np.float32)
        return [output[:0] for output in network(nothing)]
    starts = range(0, len(windows), MAX_CANDIDATES_AT_ONCE)
    outputs = [
        network(area_patches(sums, windows[start : start + MAX_CANDIDATES_AT_ONCE], size_px))
        for start in starts
    ]
    return [np.concatenate(parts) for parts in zip(*outputs, strict=True)]


def _found(kept: Boxes, points: Float32[np.ndarray, "faces 10"]) -> FoundFaces:
    spans = kept.edges[:, 2:] - kept.edges[:, :2] + np.float32(1)
    unit = points.reshape(-1, 2, 5).transpose(0, 2, 1)
    landmarks = unit * spans[:, None] + kept.edges[:, None, :2] - np.float32(1)
    return FoundFaces(kept.regressed().edges, kept.scores, landmarks)


def _size(sums: Sums) -> tuple[int, int]:
    """Width and height of the picture behind an integral image."""
    return sums.shape[1] - 1, sums.shape[0] - 1
