"""What all models of one split are judged against, computed once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from portrait_pipeline.faces.selection import select_split
from portrait_pipeline.identity.face_finder import find_faces
from portrait_pipeline.identity.judge import JudgeFunction, load_judge
from portrait_pipeline.identity.landmarks import Landmarks, find_landmarks
from portrait_pipeline.images import FaceSet, to_model_range
from portrait_pipeline.metrics.helpers.ranges import MODEL_RANGE
from portrait_pipeline.metrics.inception import Inception, inception_features, load_inception
from portrait_pipeline.metrics.lpips import Lpips, load_lpips
from portrait_pipeline.metrics.swd import PatchSet, cut_patches
from portrait_pipeline.parameters import (
    EvaluationParameters,
    FaceParameters,
    Split,
    TrainingParameters,
)
from portrait_pipeline.scoring.memoised import Memoised

Pixels = UInt8[np.ndarray, "n size size 3"]


@dataclass(frozen=True)
class Reference:
    """The photographs of a split, the paintings, the judges, and what they say of the photographs.

    Attributes:
        photos: The photographs to translate.
        paintings: Real paintings of the same split.
        other_paintings: Further real paintings, for the floor of the distances.
        twins: Painted twins of the photographs; empty for real pictures.
        judge: Describes faces; never the teacher.
        teacher: The network that trained the proposed model; its score is shown as its own only.
        landmarks: Places 68 landmarks on each crop, in edges of the crop.
        find_faces: Tells for each crop whether a detector still sees the face.
        inception: The network of the kernel distance, or why there is none.
        lpips: The network of the perceptual distance, or why there is none.
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
    landmarks: Callable[[Pixels], Landmarks]
    find_faces: Callable[[Pixels], Bool[np.ndarray, " n"]]
    inception: Inception
    lpips: Lpips
    settings: EvaluationParameters
    judge_name: str
    teacher_name: str
    split: Split

    @property
    def reasons(self) -> dict[str, str]:
        """Why a number is left out, by its name; empty where all can be measured."""
        given = {"kid": self.inception.reason, "lpips": self.lpips.reason}
        return {name: reason for name, reason in given.items() if reason is not None}

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
        return self.landmarks(self.photo_pixels)

    @cached_property
    def painting_patches(self) -> PatchSet:
        """The paintings' patches, for the sliced Wasserstein distance."""
        return cut_patches(
            to_model_range(self.painting_pixels), MODEL_RANGE, self.settings.patch_seed
        )

    @cached_property
    def painting_features(self) -> Float[Tensor, "n features"] | None:
        """Inception's features of the paintings, or None without Inception."""
        network = self.inception.network
        if network is None:
            return None
        return inception_features(to_model_range(self.painting_pixels), network)


@dataclass(frozen=True)
class Settings:
    """The parameters that an evaluation needs of the others' pipelines too."""

    evaluation: EvaluationParameters
    training: TrainingParameters
    faces: FaceParameters


def build_reference(
    photos: FaceSet,
    portraits: FaceSet,
    twins: FaceSet,
    splits: pd.DataFrame,
    split: Split,
    settings: Settings,
) -> Reference:
    """Gather what the models of one split are judged against.

    Raises:
        PortraitPipelineError: if the split is empty.
    """
    evaluation, training = settings.evaluation, settings.training
    own = select_split(photos, splits, "photo", split)
    paintings = select_split(portraits, splits, "painting", split)
    others = select_split(portraits, splits, "painting", "train")
    margin = settings.faces.margin
    landmarks = Memoised(lambda crops: find_landmarks(crops, margin), "placing landmarks")
    return Reference(
        photos=own,
        paintings=paintings,
        other_paintings=others.subset(others.names[: len(paintings)]),
        twins=twins.subset([name for name in own.names if name in set(twins.names)]),
        judge=Memoised(
            load_judge(evaluation.judge, evaluation.judge_weights, margin, landmarks),
            "asking the judge",
        ),
        teacher=Memoised(
            load_judge(training.teacher, training.teacher_weights, margin), "asking the teacher"
        ),
        landmarks=landmarks,
        find_faces=Memoised(find_faces, "finding faces"),
        inception=load_inception(evaluation.inception_weights),
        lpips=load_lpips(),
        settings=evaluation,
        judge_name=evaluation.judge,
        teacher_name=training.teacher,
        split=split,
    )
