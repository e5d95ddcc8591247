"""MTCNN's three networks in ONNX Runtime: the same search as `faces.cascade`, without PyTorch."""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from portrait_pipeline.faces.found import FoundFaces
from portrait_pipeline.faces.pyramid import CELL_PX, STRIDE_PX, level_size, parts_of_pyramid
from portrait_pipeline.portrayal.area_means import area_levels, area_patches, integral
from portrait_pipeline.portrayal.boxes import Boxes

MAX_CANDIDATES_AT_ONCE = 256

Network = Callable[[Float32[np.ndarray, "batch 3 height width"]], list[np.ndarray]]
Settled = Callable[[FoundFaces, float], set[int]]


class OnnxCascade:
    """Takes the place of `faces.cascade.Cascade` in a `FaceDetector`.

    Args:
        networks: `proposer`, `refiner` and `judge`: MTCNN's P-, R- and O-net, which take RGB in
            [0, 255] and scale it themselves.
        thresholds: Least probability that each of them asks for.
        factor: From one level of the pyramid to the next.
    """

    def __init__(
        self,
        networks: Mapping[str, Network],
        thresholds: tuple[float, float, float],
        factor: float,
    ) -> None:
        self._networks = networks
        self._thresholds = thresholds
        self._factor = factor

    def find(
        self,
        canvas: UInt8[np.ndarray, "batch height width 3"],
        sizes: Int64[np.ndarray, "batch 2"],
        min_window_px: float,
        settled: Settled,
    ) -> FoundFaces:
        """Find the faces of a batch of pictures that lie in the upper left of one canvas.

        See `faces.cascade.Cascade.find`, whose order of work this follows.
        """
        sums, extents = integral(canvas), np.asarray(sizes, dtype=np.int64)
        waiting = list(range(len(canvas)))
        found = FoundFaces.none()
        longest = int(sizes.min(axis=1).max())
        for windows in parts_of_pyramid(longest, min_window_px, self._factor):
            rows = np.array(waiting, dtype=np.int64)
            levels = [self._propose(sums, extents, rows, px) for px in windows]
            fresh = self._refine(sums, extents, Boxes.joined(levels))
            found = FoundFaces.joined([found, fresh]).without_nested(0.7)
            finished = settled(found, windows[-1])
            waiting = [index for index in waiting if index not in finished]
            if not waiting:
                break
        return found

    def _propose(
        self,
        sums: Int64[np.ndarray, "batch height_1 width_1 3"],
        extents: Int64[np.ndarray, "batch 2"],
        pictures: Int64[np.ndarray, " waiting"],
        window_px: float,
    ) -> Boxes:
        sizes = np.array([level_size(int(w), int(h), window_px) for w, h in extents[pictures]])
        levels = area_levels(sums, pictures, extents[pictures], sizes)
        offsets, probabilities = self._networks["proposer"](levels)
        scores = probabilities[:, 1]
        index, row, column = np.nonzero(scores >= np.float32(self._thresholds[0]))
        corner = np.stack([column, row], axis=1) * STRIDE_PX
        limits = sizes[index]
        inside = (corner + CELL_PX <= limits + limits % 2).all(axis=1)
        shrink, corner = np.float32(CELL_PX / window_px), corner.astype(np.float32)
        low, high = np.floor((corner + 1) / shrink), np.floor((corner + CELL_PX) / shrink)
        edges = np.concatenate([low, high], axis=1).astype(np.float32)
        kept = Boxes(
            pictures[index], edges, scores[index, row, column], offsets[index, :, row, column]
        )
        return kept.take(inside).without_overlaps(0.5)

    def _refine(
        self,
        sums: Int64[np.ndarray, "batch height_1 width_1 3"],
        extents: Int64[np.ndarray, "batch 2"],
        proposals: Boxes,
    ) -> FoundFaces:
        kept = proposals.without_overlaps(0.7).regressed(extra=0.0).squared().inside(extents)
        offsets, probabilities = self._look_at("refiner", sums, extents, kept, 24)
        kept = Boxes(kept.picture, kept.edges, probabilities[:, 1], offsets)
        kept = kept.take(kept.scores > np.float32(self._thresholds[1])).without_overlaps(0.7)
        kept = kept.regressed().squared().inside(extents)
        offsets, points, probabilities = self._look_at("judge", sums, extents, kept, 48)
        kept = Boxes(kept.picture, kept.edges, probabilities[:, 1], offsets)
        rows = kept.scores > np.float32(self._thresholds[2])
        return _found(kept.take(rows), points[rows]).without_nested(0.7)

    def _look_at(
        self,
        network: str,
        sums: Int64[np.ndarray, "batch height_1 width_1 3"],
        extents: Int64[np.ndarray, "batch 2"],
        faces: Boxes,
        size_px: int,
    ) -> list[np.ndarray]:
        """Run a network over the windows of all candidates, some hundreds at a time."""
        if len(faces.picture) == 0:
            # a graph does not run on nothing: look once at black and keep no row of it
            nothing = np.zeros((1, 3, size_px, size_px), dtype=np.float32)
            return [output[:0] for output in self._networks[network](nothing)]
        windows = faces.windows(extents)
        outputs = []
        for start in range(0, len(windows), MAX_CANDIDATES_AT_ONCE):
            rows = slice(start, start + MAX_CANDIDATES_AT_ONCE)
            patches = area_patches(sums, faces.picture[rows], windows[rows], size_px)
            outputs.append(self._networks[network](patches))
        return [np.concatenate(parts) for parts in zip(*outputs, strict=True)]


def _found(kept: Boxes, points: Float32[np.ndarray, "faces 10"]) -> FoundFaces:
    spans = kept.edges[:, 2:] - kept.edges[:, :2] + np.float32(1)
    unit = points.reshape(-1, 2, 5).transpose(0, 2, 1)
    landmarks = unit * spans[:, None] + kept.edges[:, None, :2] - np.float32(1)
    return FoundFaces(kept.picture, kept.regressed().edges, kept.scores, landmarks)
