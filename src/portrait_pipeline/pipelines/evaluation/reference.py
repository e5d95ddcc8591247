"""What all models of one split are judged against, computed once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Float, UInt8

from portrait_pipeline.faces.selection import select_split
from portrait_pipeline.identity.landmarks import Landmarks, find_landmarks
from portrait_pipeline.images import FaceSet
from portrait_pipeline.metrics.identity import check_judge_is_not_teacher
from portrait_pipeline.metrics.judge import JudgeFunction, load_judge
from portrait_pipeline.parameters import EvaluationParameters, Split, TrainingParameters

Pixels = UInt8[np.ndarray, "n size size 3"]


@dataclass(frozen=True)
class Reference:
    """The photographs of a split, the paintings, the judges, and what they say of the photographs.

    Attributes:
        photos: The photographs to translate.
        paintings: Real paintings of the same split.
        other_paintings: Further real paintings, for the floor of the distances.
        twins: Painted twins of the photographs; empty for real pictures.
        judge: JudgeFunctions faces; never the teacher.
        teacher: The network that trained the proposed model; its score is shown as its own only.
        settings: How to judge.
        judge_name: For the tables.
        teacher_name: For the tables.
        split: Which split it is.
    """

    photos: FaceSet
    paintings: FaceSet
    other_paintings: FaceSet
    twins: FaceSet
    judge: JudgeFunction
    teacher: JudgeFunction
    settings: EvaluationParameters
    judge_name: str
    teacher_name: str
    split: Split

    @cached_property
    def photo_pixels(self) -> Pixels:
        """All photographs, uint8."""
        return self.photos[np.arange(len(self.photos))]

    @cached_property
    def painting_pixels(self) -> Pixels:
        """All paintings of the split, uint8."""
        return self.paintings[np.arange(len(self.paintings))]

    @cached_property
    def judged_photos(self) -> Float[np.ndarray, "n dim"]:
        """The judge's descriptors of the photographs."""
        return self.judge(self.photo_pixels)

    @cached_property
    def taught_photos(self) -> Float[np.ndarray, "n dim"]:
        """The teacher's descriptors of the photographs."""
        return self.teacher(self.photo_pixels)

    @cached_property
    def photo_landmarks(self) -> Landmarks:
        """68 landmarks of each photograph, in edges of the crop."""
        return find_landmarks(self.photo_pixels)


def build_reference(
    photos: FaceSet,
    portraits: FaceSet,
    twins: FaceSet,
    splits: pd.DataFrame,
    split: Split,
    evaluation: EvaluationParameters,
    training: TrainingParameters,
) -> Reference:
    """Gather what the models of one split are judged against.

    Raises:
        PortraitPipelineError: if the judge is the teacher, or the split is empty.
    """
    check_judge_is_not_teacher(evaluation.judge, training.teacher)
    own = select_split(photos, splits, "photo", split)
    paintings = select_split(portraits, splits, "portrait", split)
    others = select_split(portraits, splits, "portrait", "train")
    return Reference(
        photos=own,
        paintings=paintings,
        other_paintings=others.subset(others.names[: len(paintings)]),
        twins=twins.subset([name for name in own.names if name in set(twins.names)]),
        judge=load_judge(evaluation.judge, evaluation.judge_weights),
        teacher=load_judge(training.teacher, training.teacher_weights),
        settings=evaluation,
        judge_name=evaluation.judge,
        teacher_name=training.teacher,
        split=split,
    )
