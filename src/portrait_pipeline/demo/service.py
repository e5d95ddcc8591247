"""Turns the bytes of an upload into an answer in words and pictures, without Gradio."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol, TypeVar

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from portrait_pipeline.demo.limits import (
    MAX_MODELS_IN_MEMORY,
    MAX_PICTURE_PIXELS,
    MAX_UPLOAD_BYTES,
    PICTURE_LIMITS,
    TIME_LIMIT_SECONDS,
)
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.pictures import PictureError
from portrait_pipeline.portrayal.photo import Photo
from portrait_pipeline.portrayal.portrayer import FacePortrayer, PortraitModel
from portrait_pipeline.portrayal.similarity import JudgeOfFaces, Likeness, LoadJudge
from portrait_pipeline.portrayal.sizing import portrait_at_size

BASELINE = "baseline"
Result = TypeVar("Result")

logger = logging.getLogger(__name__)


class ModelShelf(Protocol):
    """Where trained models are found."""

    def names(self) -> Sequence[tuple[str, str]]:
        """Return what there is to choose from: a label and the name that `load` takes."""
        ...

    def load(self, name: str) -> PortraitModel:
        """Make a model ready to use; raises PortraitPipelineError where it is not trained."""
        ...


class RefusedError(Exception):
    """There is no portrait for this upload; the message tells the visitor why."""


@dataclass(frozen=True)
class Answer:
    """The answer to a visitor: words and pictures.

    Attributes:
        photo: The face crop.
        portraits: By model, in the order in which they are shown; the chosen one last.
        likenesses: The judge's word on each; empty without a judge.
        chosen: The name of the chosen model.
        num_faces: Faces in the photo; the largest was taken.
        notes: Sentences to be shown beside the portraits.
    """

    photo: UInt8[np.ndarray, "size size 3"]
    portraits: Mapping[str, UInt8[np.ndarray, "size size 3"]]
    likenesses: Mapping[str, Likeness]
    chosen: str
    num_faces: int = 1
    notes: tuple[str, ...] = field(default=())


def decode_upload(data: bytes, detection_size_px: int) -> Photo:
    """Decode an upload within the page's limits.

    Raises:
        RefusedError: if it is too large or no picture, with words for the visitor.
    """
    if len(data) > MAX_UPLOAD_BYTES:
        raise RefusedError(
            f"This file is too large: it has {len(data) / 1e6:.0f} MB, and"
            f" {MAX_UPLOAD_BYTES // 1_000_000} MB is the most. Please choose a smaller photo."
        )
    try:
        return Photo.decode(data, "photo", detection_size_px, PICTURE_LIMITS)
    except PictureError as error:
        raise RefusedError(_WHY_UNREADABLE.get(error.fault, _BROKEN)) from None


_BROKEN = "This picture is damaged and cannot be read. Please choose another photo."
_WHY_UNREADABLE = {
    "truncated": "This picture is incomplete: its end is missing. Please send it again.",
    "not an image": "This is not a picture that can be read. JPEG, PNG and WebP work.",
    "empty": "This file is empty, so it is not a picture. Please choose another photo.",
    "HEIC": "This is a HEIC picture, which cannot be read here. Please send it as JPEG.",
    "too large": "This picture has too many pixels:"
    f" {MAX_PICTURE_PIXELS // 1_000_000} million is the most. Please choose a smaller photo.",
    "too costly": "This picture takes too long to read. Please save it as a plain JPEG.",
}
_NO_FACE = {
    "no face": "No face was found. A photo from the front, with the face well lit, works best.",
    "low probability": "Something like a face was found, but too unsure. A photo from the front,"
    " with the face well lit, works best.",
    "too small": "The face is too small in this photo. Please come closer, or cut the photo.",
}
_TOO_SLOW = "This took too long and was stopped. Please try again, or choose a smaller photo."


class PortraitService:
    """Answers one request at a time, within a time limit.

    Args:
        shelf: The trained models.
        load_judge: Loads what says how alike portrait and photo are, for crops with the margin and
            models with the teachers that it is given; None for no such word.
        time_limit_seconds: For one answer.
    """

    def __init__(
        self,
        shelf: ModelShelf,
        load_judge: LoadJudge | None,
        time_limit_seconds: float = TIME_LIMIT_SECONDS,
    ) -> None:
        self.shelf = shelf
        self._load_judge = load_judge
        self._judges: dict[tuple[float, tuple[str, ...]], JudgeOfFaces] = {}
        self._time_limit_seconds = time_limit_seconds
        self._models: OrderedDict[str, PortraitModel] = OrderedDict()
        self._lock = Lock()
        self._turn = Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="portrait")

    def portray(self, data: bytes, chosen: str) -> Answer:
        """Answer an upload.

        Raises:
            RefusedError: with words for the visitor.
        """
        return self._within_time(
            lambda: self._answer(chosen, lambda size_px: decode_upload(data, size_px))
        )

    def portrait(self, data: bytes, size_px: int | None) -> UInt8[np.ndarray, "size size 3"]:
        """Return the portrait of an upload's largest face, by the first model.

        Args:
            data: The upload.
            size_px: Edge of the portrait; by default that of the face in the photo, at most 1,024.

        Raises:
            RefusedError: with words for the visitor.
        """
        return self._within_time(lambda: self._portrait(data, size_px))

    def portray_image(self, picture: Image.Image, chosen: str) -> Answer:
        """Answer a picture of the page's own.

        Raises:
            RefusedError: with words for the visitor.
        """
        return self._within_time(lambda: self._answer(chosen, lambda _: Photo.of_image(picture)))

    def portray_again(self, crop: UInt8[np.ndarray, "size size 3"], chosen: str) -> Answer:
        """Show a face that was found before as another model paints it.

        Raises:
            RefusedError: with words for the visitor.
        """
        return self._within_time(lambda: self._paint(self._portrayer(chosen), crop, chosen))

    def _within_time(self, work: Callable[[], Result]) -> Result:
        with self._turn:
            return self._answer_in_time(work)

    def _answer_in_time(self, work: Callable[[], Result]) -> Result:
        waiting = self._worker.submit(work)
        try:
            return waiting.result(self._time_limit_seconds)
        except TooSlow:
            waiting.cancel()
            raise RefusedError(_TOO_SLOW) from None
        except PortraitPipelineError as error:
            raise RefusedError(f"This model cannot be used: {error}") from None

    def _answer(self, chosen: str, read: Callable[[int], Photo]) -> Answer:
        portrayer = self._portrayer(chosen)
        photo = read(portrayer.detection_size_px)
        (found,) = portrayer.find([photo], every_face=True)
        if not found.faces:
            raise RefusedError(_NO_FACE[found.fault or "no face"])
        crop, _ = portrayer.crop(photo.image, found.faces[0])
        return self._paint(portrayer, crop, chosen, len(found.faces))

    def _portrait(self, data: bytes, size_px: int | None) -> UInt8[np.ndarray, "size size 3"]:
        portrayer = self._portrayer("")
        photo = decode_upload(data, portrayer.detection_size_px)
        (found,) = portrayer.portray([photo])
        if not found.faces:
            raise RefusedError(_NO_FACE[found.fault or "no face"])
        return portrait_at_size(photo.image, found.faces[0], portrayer.models[-1].name, size_px)

    def _paint(
        self,
        portrayer: FacePortrayer,
        crop: UInt8[np.ndarray, "size size 3"],
        chosen: str,
        num_faces: int = 1,
    ) -> Answer:
        (portraits,) = portrayer.paint([crop])
        likenesses = self._compare(crop, portraits, portrayer)
        name = portrayer.models[-1].name
        return Answer(crop, portraits, likenesses, name, num_faces)

    def _compare(
        self,
        crop: UInt8[np.ndarray, "size size 3"],
        portraits: Mapping[str, UInt8[np.ndarray, "size size 3"]],
        portrayer: FacePortrayer,
    ) -> dict[str, Likeness]:
        """Ask the judge, loaded once for each margin and teachers; nothing is said without one."""
        if self._load_judge is None:
            return {}
        teachers = tuple(sorted({model.teacher for model in portrayer.models if model.teacher}))
        asked = (portrayer.preparation.window_margin, teachers)
        if asked not in self._judges:
            self._judges[asked] = self._load_judge(*asked)
        judge = self._judges[asked]
        return {name: judge.compare(crop, pixels) for name, pixels in portraits.items()}

    def _portrayer(self, chosen: str) -> FacePortrayer:
        """Combine the chosen model with the baseline, if there is one with the same preparation."""
        offered = [name for _, name in self.shelf.names()]
        chosen = chosen or next(iter(offered), "")  # asked before the page had listed the models
        if chosen not in offered:
            raise RefusedError("This model is not there any more. Please reload the page.")
        model = self._model(chosen)
        if chosen == BASELINE:
            return FacePortrayer([model])
        try:
            return FacePortrayer([self._model(BASELINE), model])
        except PortraitPipelineError:
            return FacePortrayer([model])

    def _model(self, name: str) -> PortraitModel:
        with self._lock:
            if name not in self._models:
                self._models[name] = self.shelf.load(name)
            self._models.move_to_end(name)
            while len(self._models) > MAX_MODELS_IN_MEMORY:
                self._models.popitem(last=False)
            return self._models[name]
