"""The three networks of MTCNN over a batch of pictures at once, from coarse to fine.

The networks, their weights, thresholds and pyramid factor are facenet-pytorch's (Zhang et al. 2016,
"Joint Face Detection and Alignment using Multitask Cascaded Convolutional Networks"). What differs
is the order of the work. Every area mean is read from one integral image, so that all candidates of
all pictures are resampled at once; and the pyramid is searched from large faces to small ones, so
that a picture whose face is already found never pays for its finest levels, which cost most.
"""

from collections.abc import Callable

import numpy as np
import torch
from facenet_pytorch import MTCNN
from jaxtyping import Int, UInt8
from torch import Tensor, nn

from portrait_pipeline.faces.candidates import Candidates, found_faces, regressed
from portrait_pipeline.faces.found import FoundFaces
from portrait_pipeline.faces.pyramid import CELL_PX, STRIDE_PX, level_size, parts_of_pyramid
from portrait_pipeline.faces.resampling import area_levels, area_patches, integral

MAX_CANDIDATES_AT_ONCE = 256

Settled = Callable[[FoundFaces, float], set[int]]
"""Given all faces found so far and the smallest window searched: the pictures that are done."""


def default_device() -> torch.device:
    """Return the GPU when there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Cascade:
    """MTCNN's networks on one device."""

    def __init__(self, device: torch.device) -> None:
        # channels_last: a CPU pools five to ten times faster
        networks = MTCNN(device=device).to(memory_format=torch.channels_last)
        self._device = device
        self._factor: float = networks.factor
        self._thresholds: tuple[float, float, float] = tuple(networks.thresholds)
        self._proposer = networks.pnet
        self._refiner: nn.Module = networks.rnet
        self._judge: nn.Module = networks.onet

    @torch.inference_mode()
    def find(
        self,
        canvas: UInt8[np.ndarray, "batch height width 3"],
        sizes: Int[np.ndarray, "batch 2"],
        min_window_px: float,
        settled: Settled,
    ) -> FoundFaces:
        """Find the faces of a batch of pictures that lie in the upper left of one canvas.

        Args:
            canvas: RGB pictures in [0, 255], padded to one size.
            sizes: Width and height of each picture on the canvas.
            min_window_px: Smallest face window to search for; below 12 it counts as 12.
            settled: Asked after each part of the pyramid which pictures need no finer one.
        """
        sums = integral(torch.from_numpy(canvas).to(self._device))
        extents = torch.from_numpy(np.asarray(sizes, dtype=np.int64)).to(self._device)
        waiting = list(range(len(canvas)))
        found = FoundFaces.none()
        longest = int(sizes.min(axis=1).max())
        for windows in parts_of_pyramid(longest, min_window_px, self._factor):
            rows = torch.tensor(waiting, dtype=torch.int64, device=self._device)
            levels = [self._propose(sums, extents, rows, px) for px in windows]
            fresh = self._refine(sums, extents, Candidates.joined(levels))
            found = FoundFaces.joined([found, fresh]).without_nested(0.7)
            finished = settled(found, windows[-1])
            waiting = [index for index in waiting if index not in finished]
            if not waiting:
                break
        return found

    def _propose(
        self,
        sums: Int[Tensor, "batch height_1 width_1 3"],
        extents: Int[Tensor, "batch 2"],
        pictures: Int[Tensor, "waiting"],
        window_px: float,
    ) -> Candidates:
        """Run the first network over one level of the pyramid of the pictures that wait."""
        scale = CELL_PX / window_px
        shapes = [(int(width), int(height)) for width, height in extents[pictures].tolist()]
        sizes = [level_size(width, height, window_px) for width, height in shapes]
        levels = area_levels(sums, pictures.tolist(), shapes, sizes)
        offsets, probabilities = self._proposer(_scaled(levels))
        scores = probabilities[:, 1]
        index, row, column = (scores >= self._thresholds[0]).nonzero(as_tuple=True)
        corner = torch.stack([column, row], dim=1) * STRIDE_PX
        low, high = ((corner + 1) / scale).floor(), ((corner + CELL_PX) / scale).floor()
        # a window may begin in its picture's last cell, and none in the padding behind it
        limits = torch.tensor(sizes, device=self._device)[index]
        inside = (corner + CELL_PX <= limits + limits % 2).all(dim=1)
        candidates = Candidates(
            pictures[index],
            torch.cat([low, high], dim=1),
            scores[index, row, column],
            offsets[index, :, row, column],
        )
        return candidates.take(inside).without_overlaps(0.5)

    def _refine(
        self, sums: Tensor, extents: Int[Tensor, "batch 2"], proposals: Candidates
    ) -> FoundFaces:
        """Run the second and third network over what the first one proposed."""
        kept = proposals.without_overlaps(0.7)
        spans = (kept.boxes[:, 2:] - kept.boxes[:, :2]).repeat(1, 2)
        kept = kept.at(kept.boxes + kept.offsets * spans).squared().inside(extents)
        offsets, probabilities = self._look_at(self._refiner, sums, extents, kept, 24)
        kept = Candidates(kept.picture, kept.boxes, probabilities[:, 1], offsets)
        kept = kept.take(kept.scores > self._thresholds[1]).without_overlaps(0.7)
        kept = kept.at(regressed(kept.boxes, kept.offsets)).squared().inside(extents)
        offsets, points, probabilities = self._look_at(self._judge, sums, extents, kept, 48)
        kept = Candidates(kept.picture, kept.boxes, probabilities[:, 1], offsets)
        return found_faces(kept, points, self._thresholds[2])

    def _look_at(
        self, network: nn.Module, sums: Tensor, extents: Tensor, faces: Candidates, size_px: int
    ) -> list[Tensor]:
        """Run a network over the windows of all candidates, some hundreds at a time."""
        windows = faces.windows(extents)
        if len(windows) == 0:
            # the networks do not run on nothing: look once at black and keep no row of it
            nothing = torch.zeros((1, 3, size_px, size_px), device=self._device)
            return [output[:0] for output in network(nothing)]
        outputs = []
        for start in range(0, len(windows), MAX_CANDIDATES_AT_ONCE):
            rows = slice(start, start + MAX_CANDIDATES_AT_ONCE)
            patches = area_patches(sums, faces.picture[rows], windows[rows], size_px)
            outputs.append(network(_scaled(patches)))
        return [torch.cat(parts) for parts in zip(*outputs, strict=True)]


def _scaled(pixels: Tensor) -> Tensor:
    """Bring [0, 255] to the range that MTCNN's own networks expect."""
    return pixels.sub_(127.5).mul_(1 / 128)
