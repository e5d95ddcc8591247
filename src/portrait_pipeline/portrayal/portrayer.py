"""From whole photos to portraits: the class behind command line, web page and pipeline."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.crop import CropTransform, crop_face, crop_transform
from portrait_pipeline.faces.detection import Detection, FaceFault, Finding
from portrait_pipeline.parameters import FaceParameters, is_judged_by_its_teacher
from portrait_pipeline.pictures import ReducedPicture
from portrait_pipeline.portrayal.photo import Photo

DETECTION_SIZE_PX = 320
"""Photos are searched for faces in this size, or in that of the training where it is larger.

A model of small pictures may have been trained on a search at half of it, which misses clear faces
of a group.
"""

FaceChoice = Literal["largest", "all"]
Painter = Callable[[UInt8[np.ndarray, "batch size size 3"]], UInt8[np.ndarray, "batch size size 3"]]
"""A trained model as a function: face crops in, portraits out, both uint8 RGB in [0, 255]."""


class FaceFinder(Protocol):
    """Finds faces as they were found in the training pictures: a `FaceDetector`."""

    def find(self, pictures: Sequence[ReducedPicture], every_face: bool = False) -> list[Finding]:
        """Return the largest accepted face of each picture, or all, or the reason for none."""
        ...


@dataclass(frozen=True)
class PortraitModel:
    """A trained model with the settings that its training fixed.

    Attributes:
        name: baseline, proposed, or another name.
        preparation: How its training faces were found and cropped.
        finder: Finds faces with that preparation.
        painter: Translates crops of `preparation.crop_size_px`.
        teacher: The face network of its perceptual loss; None without one.
        detection_size_px: Size in which its finder searches photos.
    """

    name: str
    preparation: FaceParameters
    finder: FaceFinder
    painter: Painter
    teacher: str | None = None
    detection_size_px: int = DETECTION_SIZE_PX


@dataclass(frozen=True)
class PortrayedFace:
    """One face and its portrait by each model.

    Attributes:
        photo: The crop, uint8 (size, size, 3).
        face: The face, in pixels of the picture.
        transform: The position of the crop in the picture.
        portraits: By the model's name, uint8 (size, size, 3).
    """

    photo: UInt8[np.ndarray, "size size 3"]
    face: Detection
    transform: CropTransform
    portraits: Mapping[str, UInt8[np.ndarray, "size size 3"]]


@dataclass(frozen=True)
class Portrayal:
    """The result for one picture.

    Attributes:
        faces: Largest first; empty if no face is accepted.
        fault: Why there is no face; None when there is one.
    """

    faces: tuple[PortrayedFace, ...]
    fault: FaceFault | None


class FacePortrayer:
    """Finds and crops faces exactly as in training, and translates them with one or more models.

    Args:
        models: Trained models with the same preparation; the first one finds the faces.
        batch_size: Faces that a model translates at once.

    Raises:
        PortraitPipelineError: if there is no model, or two were prepared differently.
    """

    def __init__(self, models: Sequence[PortraitModel], batch_size: int = 8) -> None:
        if not models:
            raise PortraitPipelineError("no model was given, expected at least one")
        _refuse_different_preparations(models)
        self.models = tuple(models)
        self.preparation = models[0].preparation
        self.detection_size_px = models[0].detection_size_px
        self._batch_size = batch_size

    def portray(self, photos: Sequence[Photo], faces: FaceChoice = "largest") -> list[Portrayal]:
        """Make portraits of the faces in photos of any size: the largest in each, or all."""
        every_face = faces == "all"
        found = self.find(photos, every_face)
        crops = [
            [(face, *self.crop(photo.image, face)) for face in _chosen(in_photo, every_face)]
            for photo, in_photo in zip(photos, found, strict=True)
        ]
        painted = iter(self.paint([crop for row in crops for _, crop, _ in row]))
        return [
            Portrayal(
                tuple(
                    PortrayedFace(crop, face, square, next(painted)) for face, crop, square in row
                ),
                in_photo.fault,
            )
            for row, in_photo in zip(crops, found, strict=True)
        ]

    def refuse_teacher(self, judge: str) -> None:
        """Refuse a judge that trained one of the models.

        Raises:
            PortraitPipelineError: if the judge, or one of its family, was the teacher.
        """
        for model in self.models:
            if model.teacher is not None and is_judged_by_its_teacher(judge, model.teacher):
                raise PortraitPipelineError(
                    f"the judge {judge} taught the model {model.name}, expected another network;"
                    " add `--params evaluation.judge=geometry`"
                )

    def find(self, photos: Sequence[Photo], every_face: bool = False) -> list[Finding]:
        """Find faces as in the training pictures."""
        return self.models[0].finder.find([photo.reduced for photo in photos], every_face)

    def crop(
        self, picture: Image.Image, face: Detection
    ) -> tuple[UInt8[np.ndarray, "size size 3"], CropTransform]:
        """Crop one face as in the training pictures."""
        transform = crop_transform(face, self.preparation, picture.size)
        return crop_face(picture, transform, self.preparation.crop_size_px), transform

    def paint(
        self, photos: Sequence[UInt8[np.ndarray, "size size 3"]]
    ) -> list[dict[str, UInt8[np.ndarray, "size size 3"]]]:
        """Translate every crop with every model; map each model to its portrait, per crop."""
        painted: list[dict[str, UInt8[np.ndarray, "size size 3"]]] = [{} for _ in photos]
        for start in range(0, len(photos), self._batch_size):
            batch = np.stack(photos[start : start + self._batch_size])
            for model in self.models:
                for row, portrait in enumerate(model.painter(batch), start):
                    painted[row][model.name] = portrait
        return painted


def _chosen(finding: Finding, every_face: bool) -> tuple[Detection, ...]:
    return finding.faces if every_face else finding.faces[:1]


def preparation_for_use(preparation: FaceParameters, detection_size_px: int) -> FaceParameters:
    """Search photos as the training pictures were searched, but in no smaller size than this."""
    size_px = max(preparation.detection_size_px, detection_size_px)
    return preparation.model_copy(update={"detection_size_px": size_px})


def _refuse_different_preparations(models: Sequence[PortraitModel]) -> None:
    first = models[0]
    for other in models[1:]:
        differing = [
            f"{name} {value!r} and {getattr(other.preparation, name)!r}"
            for name, value in first.preparation
            if name != "batch_size" and getattr(other.preparation, name) != value
        ]
        if differing:
            raise PortraitPipelineError(
                f"{first.name} and {other.name} were trained on faces prepared differently"
                f" ({', '.join(differing)}), expected the same; choose one of them with --model,"
                " or train both again on the same faces"
            )
