"""Is it still the same person? The judge's number for one pair, and what it means in words."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from jaxtyping import Float, UInt8

from portrait_pipeline.parameters import Judge

Verdict = Literal["same", "alike", "unsure", "stranger", "no face"]

WORDS: dict[Verdict, str] = {
    "same": "clearly the same person",
    "alike": "probably the same person",
    "unsure": "could be somebody else",
    "stranger": "looks like somebody else",
    "no face": "no face to compare",
}

Describe = Callable[[UInt8[np.ndarray, "batch size size 3"]], Float[np.ndarray, "batch descriptor"]]
"""A judge as a function from face crops to descriptors; a row of NaN where it finds no face."""


@dataclass(frozen=True)
class Likeness:
    """How much a portrait looks like the person in the photo, by the judge.

    Attributes:
        similarity: Cosine of the two descriptors, in [-1, 1]; NaN where there is no face.
        verdict: What that number means for this judge.
        judge: The judge's name.
    """

    similarity: float
    verdict: Verdict
    judge: str

    @property
    def words(self) -> str:
        """What the number means."""
        return WORDS[self.verdict]

    @property
    def number(self) -> str:
        """The number as it is shown: a similarity with two decimals."""
        return "–" if math.isnan(self.similarity) else f"similarity {self.similarity:.2f}"


class JudgeOfFaces(Protocol):
    """Says how alike a photo and its portrait are."""

    def compare(
        self, photo: UInt8[np.ndarray, "size size 3"], portrait: UInt8[np.ndarray, "size size 3"]
    ) -> Likeness:
        """Compare two crops of the same square of a picture."""
        ...


@dataclass(frozen=True)
class DescriptorJudge:
    """Compares by the cosine of two descriptors.

    Attributes:
        name: The judge's name.
        describe: From crops to descriptors.
        steps: Similarities from which on it is unsure, alike and the same; ascending.
    """

    name: str
    describe: Describe
    steps: tuple[float, float, float]

    def compare(
        self, photo: UInt8[np.ndarray, "size size 3"], portrait: UInt8[np.ndarray, "size size 3"]
    ) -> Likeness:
        """Compare two crops of the same square of a picture."""
        pair = np.asarray(self.describe(np.stack([photo, portrait])), dtype=np.float64)
        lengths = np.linalg.norm(pair, axis=1)
        known = np.isfinite(lengths).all() and lengths.all()
        similarity = float(pair[0] @ pair[1] / lengths.prod()) if known else math.nan
        return Likeness(similarity, self._verdict(similarity), self.name)

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
    """Load a judge; this takes PyTorch into memory, whatever the judge.

    Args:
        name: As in the parameters.
        weights: File of a network's weights, if it has one.
        margin: `faces.margin` with which the crops are cut.

    Raises:
        PortraitPipelineError: if the judge's weights cannot be loaded.
    """
    # imported here, so that portraits without a judge need no PyTorch
    from portrait_pipeline.identity.judge import load_judge  # noqa: PLC0415

    return DescriptorJudge(name, load_judge(name, weights, margin), STEPS[name])
