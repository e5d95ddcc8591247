"""The three networks of MTCNN over a batch of pictures at once, from coarse to fine.

The networks, their weights, thresholds and pyramid factor are facenet-pytorch's (Zhang et al. 2016,
"Joint Face Detection and Alignment using Multitask Cascaded Convolutional Networks"). What differs
is the order of the work. Every area mean is read from one integral image, so that all candidates of
all pictures are resampled at once; and the pyramid is searched from large faces to small ones, so
that a picture whose face is already found never pays for its finest levels, which cost most.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from facenet_pytorch import MTCNN
from jaxtyping import Int, UInt8
from torch import Tensor, nn
from torch.nn.functional import prelu

from portrait_pipeline.faces.candidates import Candidates, found_faces, regressed
from portrait_pipeline.faces.found import FoundFaces
from portrait_pipeline.faces.resampling import area_level, area_patches, integral

CELL_PX = 12
"""Window of the first network, which moves by `STRIDE_PX`."""
STRIDE_PX = 2
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
        waiting = torch.arange(len(canvas), device=self._device)
        proposals = Candidates.none(self._device)
        done: list[FoundFaces] = []
        for windows in self._parts_of_pyramid(int(sizes.min(axis=1).max()), min_window_px):
            levels = [self._propose(sums[waiting], waiting, CELL_PX / px) for px in windows]
            proposals = Candidates.joined([proposals, *levels])
            faces = self._refine(sums, extents, proposals)
            finished = settled(faces, windows[-1])
            done.append(faces.of_pictures(finished))
            rest = [index for index in waiting.tolist() if index not in finished]
            waiting = torch.tensor(rest, dtype=torch.int64, device=self._device)
            proposals = proposals.of_pictures(waiting)
            if not rest:
                return FoundFaces.joined(done)
        return FoundFaces.joined([*done, faces.of_pictures(set(rest))])

    def _parts_of_pyramid(self, edge_px: int, min_window_px: float) -> list[list[float]]:
        """Return face windows in pixels, largest first: all the large ones, then two by two."""
        windows = [max(float(CELL_PX), min_window_px)]
        while windows[-1] / self._factor <= edge_px:
            windows.append(windows[-1] / self._factor)
        parts = [windows[4:], windows[2:4], windows[:2]]
        return [part[::-1] for part in parts if part]

    def _propose(
        self, sums: Int[Tensor, "open 3 h w"], pictures: Int[Tensor, "open"], scale: float
    ) -> Candidates:
        """Run the first network over one level of the pyramid."""
        height, width = sums.shape[2] - 1, sums.shape[3] - 1
        level = area_level(sums, int(height * scale + 1), int(width * scale + 1))
        offsets, scores = _first_network(self._proposer, _scaled(level))
        index, row, column = (scores >= self._thresholds[0]).nonzero(as_tuple=True)
        corner = torch.stack([column, row], dim=1) * STRIDE_PX
        low, high = ((corner + 1) / scale).floor(), ((corner + CELL_PX) / scale).floor()
        candidates = Candidates(
            pictures[index],
            torch.cat([low, high], dim=1),
            scores[index, row, column],
            offsets[index, :, row, column],
        )
        return candidates.without_overlaps(0.5)

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
        return found_faces(kept, points, self._thresholds[2]).without_nested(0.7)

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


def _first_network(network: Any, level: Tensor) -> tuple[Tensor, Tensor]:
    """Run the first network without the copies that its own module makes.

    Returns:
        Offsets (batch, 4, rows, columns) and the probability of a face (batch, rows, columns).
    """
    offsets, probabilities = network(level)
    return offsets, probabilities[:, 1]
