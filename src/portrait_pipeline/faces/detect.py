"""Faces in pictures: MTCNN over batches of one size, boxes and landmarks in source pixels."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from jaxtyping import Int, UInt8
from PIL import Image

from portrait_pipeline.faces.detection import Detection, Finding, choose_face
from portrait_pipeline.faces.found import FoundFaces
from portrait_pipeline.parameters import FaceParameters
from portrait_pipeline.pictures import ReducedPicture

if TYPE_CHECKING:
    import torch

NUM_CANVAS_STEPS = 6
"""Canvases are whole sixths of `detection_size_px`, whatever else is in the batch."""


class FaceSearch(Protocol):
    """The networks behind the detector: `faces.cascade.Cascade`, or the same in another runtime."""

    def find(
        self,
        canvas: UInt8[np.ndarray, "batch height width 3"],
        sizes: Int[np.ndarray, "batch 2"],
        min_window_px: float,
        settled: Callable[[FoundFaces, float], set[int]],
    ) -> FoundFaces:
        """Find the faces of a batch of pictures that lie in the upper left of one canvas."""
        ...


class FaceDetector:
    """Finds the face of each picture with facenet-pytorch's MTCNN.

    Pictures are brought to at most `detection_size_px` and padded to one size for a batch; they are
    never enlarged and never squashed. A picture in which a usable face was found is not searched
    for smaller ones, since the largest wins. What is found in a picture does not depend on the
    pictures beside it. Safe to call from several threads.

    Args:
        parameters: What counts as a face.
        device: Where the networks run; by default the GPU when there is one.
        search: The networks; by default MTCNN in PyTorch, which is loaded for this alone.
    """

    def __init__(
        self,
        parameters: FaceParameters,
        device: "torch.device | None" = None,
        search: FaceSearch | None = None,
    ) -> None:
        self.parameters = parameters
        self._search = search or _mtcnn(device)

    def detect(self, pictures: Sequence[Image.Image]) -> list[Detection | None]:
        """Return the largest usable face of each RGB picture, or None where there is none."""
        whole = [ReducedPicture(picture, *picture.size) for picture in pictures]
        return [finding.face for finding in self.find(whole)]

    def find(self, pictures: Sequence[ReducedPicture], every_face: bool = False) -> list[Finding]:
        """Return for each picture its face, or what was wrong with the best candidate.

        Boxes, landmarks and `min_face_px` are in pixels of the whole pictures, whatever the size
        in which they are handed over.

        Args:
            pictures: RGB pictures, upright, of any sizes.
            every_face: Search on after the largest face; the smaller ones are in `others`.
        """
        limit = self.parameters.detection_size_px
        fitted = [_fit(picture, limit) for picture in pictures]
        findings: dict[int, Finding] = {}
        for key, rows in _groups(fitted, -(-limit // NUM_CANVAS_STEPS)).items():
            for start in range(0, len(rows), self.parameters.batch_size):
                batch = rows[start : start + self.parameters.batch_size]
                found = self._find_batch([fitted[row] for row in batch], key, every_face)
                findings.update(zip(batch, found, strict=True))
        return [findings[row] for row in range(len(pictures))]

    def _find_batch(
        self, pictures: Sequence[ReducedPicture], key: tuple[float, int, int], every_face: bool
    ) -> list[Finding]:
        scale, width, height = key
        canvas, sizes = _letterbox(pictures, width, height)

        def choose(found: FoundFaces, index: int) -> Finding:
            faces = _detections(found.of_picture(index), 1.0 / pictures[index].scale)
            return choose_face(faces, self.parameters)

        def settled(found: FoundFaces, window_px: float) -> set[int]:
            if every_face:
                return set()
            faces = {index: choose(found, index).face for index in set(found.picture.tolist())}
            return {
                index
                for index, face in faces.items()
                if face is not None and face.edge_px * pictures[index].scale >= window_px
            }

        window = self.parameters.min_face_px * scale
        found = self._search.find(canvas, sizes, window, settled)
        return [choose(found, index) for index in range(len(pictures))]


def _mtcnn(device: "torch.device | None") -> FaceSearch:
    # imported here, so that a detector with networks of its own needs no PyTorch
    from portrait_pipeline.faces.cascade import Cascade, default_device  # noqa: PLC0415

    return Cascade(device or default_device())


def _fit(picture: ReducedPicture, limit_px: int) -> ReducedPicture:
    """Shrink a picture to the size in which faces are looked for."""
    image = picture.image
    scale = limit_px / max(image.size)
    if scale >= 1.0:
        return picture
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    return ReducedPicture(small, picture.width_px, picture.height_px)


def _groups(
    pictures: Sequence[ReducedPicture], step_px: int
) -> dict[tuple[float, int, int], list[int]]:
    """Put pictures together that share a canvas: scale (a power of two below), width, height."""
    groups: dict[tuple[float, int, int], list[int]] = {}
    for row, picture in enumerate(pictures):
        width, height = (-(-edge // step_px) * step_px for edge in picture.image.size)
        scale = 2.0 ** math.floor(math.log2(picture.scale))
        groups.setdefault((scale, width, height), []).append(row)
    return groups


def _letterbox(
    pictures: Sequence[ReducedPicture], width_px: int, height_px: int
) -> tuple[UInt8[np.ndarray, "batch height_px width_px 3"], Int[np.ndarray, "batch 2"]]:
    """Lay pictures in the upper left of black canvases; return these and the pictures' sizes."""
    canvas = np.zeros((len(pictures), height_px, width_px, 3), dtype=np.uint8)
    for row, picture in enumerate(pictures):
        width, height = picture.image.size
        canvas[row, :height, :width] = np.asarray(picture.image)
    return canvas, np.array([picture.image.size for picture in pictures], dtype=np.int64)


def _detections(faces: FoundFaces, scale: float) -> list[Detection]:
    rows = zip(faces.boxes, faces.landmarks, faces.probabilities, strict=True)
    return [
        Detection.of_arrays(box, landmarks, probability).scaled(scale)
        for box, landmarks, probability in rows
    ]
