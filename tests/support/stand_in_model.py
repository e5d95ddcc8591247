"""A model that finds its face by arithmetic and paints by inverting: quick, for pages and files."""

from collections.abc import Sequence

import numpy as np
from support.tiny_model import PREPARATION

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.detection import Detection, Finding
from portrait_pipeline.parameters import FaceParameters
from portrait_pipeline.pictures import ReducedPicture
from portrait_pipeline.portrayal.portrayer import PortraitModel
from portrait_pipeline.portrayal.similarity import DescriptorJudge


class BrightFinder:
    """Says that bright pictures show a face, very bright ones two, and dark ones none."""

    def find(self, pictures: Sequence[ReducedPicture], every_face: bool = False) -> list[Finding]:
        return [self._finding(picture) for picture in pictures]

    def _finding(self, picture: ReducedPicture) -> Finding:
        level = float(np.asarray(picture.image).mean())
        if level < 20:
            return Finding(None, "no face")
        width, height = picture.width_px, picture.height_px
        faces = [_face(width * 0.5, height * 0.5, min(width, height) * 0.4)]
        if level > 200:
            faces.append(_face(width * 0.2, height * 0.2, min(width, height) * 0.2))
        return Finding(faces[0], None, tuple(faces[1:]))


def _face(x: float, y: float, edge: float) -> Detection:
    half = edge / 2
    points = ((x - half / 2, y), (x + half / 2, y), (x, y), (x - half / 2, y), (x + half / 2, y))
    return Detection((x - half, y - half, x + half, y + half), points, 0.99)


def stand_in_model(name: str = "proposed", teacher: str | None = None) -> PortraitModel:
    preparation = FaceParameters(**PREPARATION)
    return PortraitModel(name, preparation, BrightFinder(), lambda photos: 255 - photos, teacher)


class StandInShelf:
    """A shelf with a baseline and a proposed model, or with nothing."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def names(self) -> list[tuple[str, str]]:
        return [(name, name) for name in self._names]

    def load(self, name: str) -> PortraitModel:
        if name not in self._names:
            raise PortraitPipelineError(f"the model {name} is not trained yet")
        return stand_in_model(name)


def stand_in_judge(margin: float = 0.35, teachers: tuple[str, ...] = ()) -> DescriptorJudge:
    def describe(crops: np.ndarray) -> np.ndarray:
        return crops.reshape(len(crops), -1).astype(np.float64) - 128.0

    return DescriptorJudge("stand-in", describe, (0.2, 0.4, 0.6))
