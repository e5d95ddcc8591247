"""The face of each picture: MTCNN's search, in pixels of the whole picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from portrait_pipeline.faces.cascade import FaceCascade
from portrait_pipeline.faces.detection import Detection, Finding, choose_face
from portrait_pipeline.faces.found import FoundFaces
from portrait_pipeline.parameters import FaceParameters
from portrait_pipeline.pictures import ReducedPicture

if TYPE_CHECKING:
    import torch


class FaceDetector:
    """Finds the face of each picture with MTCNN.

    Pictures are brought to at most `detection_size_px`, never enlarged and never squashed. A
    picture in which a usable face was found is not searched for smaller ones, since the largest
    wins. Pictures are searched one by one, so that what is found in one depends on no other. Safe
    to call from several threads.

    Args:
        parameters: What counts as a face.
        device: Where the networks run; by default the GPU when there is one.
        cascade: The networks; by default facenet-pytorch's, and PyTorch is loaded for these alone.
    """

    def __init__(
        self,
        parameters: FaceParameters,
        device: "torch.device | None" = None,
        cascade: FaceCascade | None = None,
    ) -> None:
        self.parameters = parameters
        self._cascade = cascade or _mtcnn(device)

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
        return [self._find_one(picture, every_face) for picture in pictures]

    def _find_one(self, picture: ReducedPicture, every_face: bool) -> Finding:
        parameters = self.parameters
        if min(picture.width_px, picture.height_px) < parameters.min_face_px:
            return Finding(None, "too small")
        small = _fit(picture, parameters.detection_size_px)

        def choose(found: FoundFaces) -> Finding:
            return choose_face(_detections(found, 1.0 / small.scale), parameters)

        def enough(found: FoundFaces, window_px: float) -> bool:
            face = None if every_face else choose(found).face
            return face is not None and face.edge_px * small.scale >= window_px

        window_px = parameters.min_face_px * small.scale
        found = self._cascade.find(np.asarray(small.image), window_px, enough)
        return Finding(None, "too small") if found is None else choose(found)


def _mtcnn(device: "torch.device | None") -> FaceCascade:
    # imported here, so that a detector with networks of its own needs no PyTorch
    from portrait_pipeline.faces.mtcnn import mtcnn_cascade  # noqa: PLC0415

    return mtcnn_cascade(device)


def _fit(picture: ReducedPicture, limit_px: int) -> ReducedPicture:
    """Shrink a picture to the size in which it is searched."""
    image = picture.image
    scale = limit_px / max(image.size)
    if scale >= 1.0:
        return picture
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    return ReducedPicture(small, picture.width_px, picture.height_px)


def _detections(faces: FoundFaces, scale: float) -> list[Detection]:
    rows = zip(faces.boxes, faces.landmarks, faces.probabilities, strict=True)
    return [
        Detection.of_arrays(box, landmarks, probability).scaled(scale)
        for box, landmarks, probability in rows
    ]
