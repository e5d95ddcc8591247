"""Similarity of a photo and its portrait by the judge, as a number and in words."""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from jaxtyping import Float, UInt8

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.parameters import Judge, is_judged_by_its_teacher

Verdict = Literal["same", "alike", "unsure", "stranger", "no face"]

WORDS: dict[Verdict, str] = {
    "same": "more alike than 99.9 % of strangers",
    "alike": "more alike than 99 % of strangers",
    "unsure": "more alike than 90 % of strangers",
    "stranger": "no more alike than strangers",
    "no face": "no face to compare",
}

HOW: dict[str, str] = {
    "geometry": "face geometry",
    "dlib": "dlib's face network",
    "facenet": "FaceNet",
    "facenet-casia-webface": "FaceNet",
    "faceres": "FaceRes",
}
"""What each judge goes by, in words."""
RECOGNISERS: tuple[Judge, ...] = ("faceres", "dlib")
"""Networks that tell people apart; geometry rewards pose and crop too."""

Describe = Callable[[UInt8[np.ndarray, "batch size size 3"]], Float[np.ndarray, "batch descriptor"]]
"""A judge as a function from face crops to descriptors; a row of NaN where it finds no face."""


@dataclass(frozen=True)
class Likeness:
    """The judge's similarity of a portrait and its photo.

    Attributes:
        similarity: Cosine of the two descriptors, in [-1, 1]; NaN where there is no face.
        verdict: The meaning of the number for this judge.
        judge: The judge's name.
        drawn_only: The model was trained on drawn people, so that no praise is due.
    """

    similarity: float
    verdict: Verdict
    judge: str
    drawn_only: bool = False

    @property
    def words(self) -> str:
        """The verdict in words, and what it goes by."""
        is_said = self.verdict != "no face" and not self.drawn_only
        return f"{self._verdict}, {self._by}" if is_said else self._verdict

    @property
    def lines(self) -> tuple[str, str]:
        """The number and what it goes by, and the verdict: each fits under a small picture."""
        return f"{self.number} {self._by}", self._verdict

    @property
    def _verdict(self) -> str:
        is_praise = self.drawn_only and self.verdict != "no face"
        return "not judged: trained on drawn people only" if is_praise else WORDS[self.verdict]

    @property
    def _by(self) -> str:
        return f"by {HOW.get(self.judge, self.judge)}"

    @property
    def number(self) -> str:
        """The similarity with two decimals, as text."""
        return "–" if math.isnan(self.similarity) else f"similarity {self.similarity:.2f}"


class JudgeOfFaces(Protocol):
    """Measures the similarity of a photo and its portrait."""

    def compare(
        self, photo: UInt8[np.ndarray, "size size 3"], portrait: UInt8[np.ndarray, "size size 3"]
    ) -> Likeness:
        """Compare two crops of the same square of a picture."""
        ...


LoadJudge = Callable[[float, tuple[str, ...]], JudgeOfFaces]
"""Loads a judge for crops with a window margin, of models with these teachers."""


@dataclass(frozen=True)
class DescriptorJudge:
    """Compares by the cosine of two descriptors.

    Attributes:
        name: The judge's name.
        describe: Maps crops to descriptors.
        steps: Thresholds of the similarity for each verdict, ascending.
        drawn_only: The models were trained on drawn people.
    """

    name: str
    describe: Describe
    steps: tuple[float, float, float]
    drawn_only: bool = False

    def compare(
        self, photo: UInt8[np.ndarray, "size size 3"], portrait: UInt8[np.ndarray, "size size 3"]
    ) -> Likeness:
        """Compare two crops of the same square of a picture."""
        pair = np.asarray(self.describe(np.stack([photo, portrait])), dtype=np.float64)
        lengths = np.linalg.norm(pair, axis=1)
        known = np.isfinite(lengths).all() and lengths.all()
        similarity = float(pair[0] @ pair[1] / lengths.prod()) if known else math.nan
        return Likeness(similarity, self._verdict(similarity), self.name, self.drawn_only)

    def _verdict(self, similarity: float) -> Verdict:
        if math.isnan(similarity):
            return "no face"
        unsure, alike, same = self.steps
        if similarity >= same:
            return "same"
        if similarity >= alike:
            return "alike"
        return "unsure" if similarity >= unsure else "stranger"


STEPS: dict[Judge, tuple[float, float, float]] = {
    "geometry": (0.25, 0.42, 0.54),
    "dlib": (0.37, 0.55, 0.73),
    "facenet": (0.37, 0.55, 0.73),
    "facenet-casia-webface": (0.37, 0.55, 0.73),
    "faceres": (0.18, 0.30, 0.41),
}
"""Similarities that 10 %, 1 % and 0.1 % of pairs of strangers exceed.

Measured on 398 photographs for geometry and dlib, on 100 for faceres; FaceNet, whose weights were
not available, takes dlib's.
"""


def load_judge_of_faces(name: Judge, weights: str | None, margin: float) -> DescriptorJudge:
    """Load a judge; this imports PyTorch.

    Args:
        name: As in the parameters.
        weights: Path of the network's weights, if it needs one.
        margin: `window_margin` of the faces, with which the crops are cut.

    Raises:
        PortraitPipelineError: if the judge's weights cannot be loaded.
    """
    # imported here: portraits without a judge need no PyTorch
    from portrait_pipeline.identity.judge import load_judge  # noqa: PLC0415

    return DescriptorJudge(name, load_judge(name, weights, margin), STEPS[name])


def load_recogniser(teachers: Collection[str], margin: float) -> DescriptorJudge | None:
    """Load a network that recognises people and trained none of the models, where one is there.

    Args:
        teachers: The networks that trained the models.
        margin: `window_margin` of the faces, with which the crops are cut.
    """
    for name in RECOGNISERS:
        if any(is_judged_by_its_teacher(name, teacher) for teacher in teachers):
            continue
        try:
            return load_judge_of_faces(name, None, margin)
        except PortraitPipelineError:
            continue  # its weights are not on this machine
    return None
