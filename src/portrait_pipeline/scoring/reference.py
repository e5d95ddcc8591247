"""What all models of one split are judged against, computed once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from portrait_pipeline.faces.selection import select_split, shuffled_by_content
from portrait_pipeline.identity.face_finder import find_faces
from portrait_pipeline.identity.judge import JudgeFunction, load_judge
from portrait_pipeline.identity.landmarks import Landmarks, find_landmarks
from portrait_pipeline.images import FaceSet, to_model_range
from portrait_pipeline.metrics.deception import (
    taken_for_paintings,
    train_classifier,
)
from portrait_pipeline.metrics.efficientnet_lite import FeatureRows, lite_features, pooled
from portrait_pipeline.metrics.helpers.ranges import MODEL_RANGE
from portrait_pipeline.metrics.inception import Inception, inception_features, load_inception
from portrait_pipeline.metrics.kid import SMALLEST_SET, kid_of_features
from portrait_pipeline.metrics.lpips import Lpips, load_lpips
from portrait_pipeline.metrics.swd import PatchSet, cut_patches, swd_of_patches
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
        other_paintings: Further real paintings, for the floor of the distances and for palettes.
        twins: Painted twins of the photographs; empty for real pictures.
        judge: Describes faces; never the teacher.
        teacher: The network that trained the proposed model; its score is shown as its own only.
        landmarks: Places 68 landmarks on each crop, in edges of the crop.
        find_faces: Tells for each crop whether a detector still sees the face.
        features: EfficientNet-Lite0's features of pictures, for the first kernel distance.
        inception: The network of the kernel distance as the field quotes it, or why there is none.
        lpips: The network of the perceptual distance, or why there is none.
        takes_for_painting: The classifier of the deception rate, trained;
            None on the validation split, where it would cost more than it tells.
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
    features: Callable[[Pixels], FeatureRows]
    inception: Inception
    lpips: Lpips
    takes_for_painting: Callable[[Pixels], Bool[np.ndarray, " n"]] | None
    settings: EvaluationParameters
    judge_name: str
    teacher_name: str
    split: Split

    @property
    def reasons(self) -> dict[str, str]:
        """Why a number is left out, by its name; empty where all can be measured."""
        given = {"kid_inception": self.inception.reason, "lpips": self.lpips.reason}
        return {name: reason for name, reason in given.items() if reason is not None}

    def of_photos(self, names: Sequence[str]) -> "Reference":
        """Return the same judges for some of the photographs."""
        twins = self.twins if len(self.twins) == 0 else self.twins.subset(names)
        return replace(self, photos=self.photos.subset(names), twins=twins)

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
    def painting_features(self) -> FeatureRows:
        """EfficientNet-Lite0's features of the paintings."""
        return self.features(self.painting_pixels)

    @cached_property
    def distances_of_photos(self) -> dict[str, float]:
        """How far the unchanged photographs are from the paintings: what any model has to beat."""
        seed, photos = self.settings.seed, to_model_range(self.photo_pixels)
        patches = cut_patches(photos, MODEL_RANGE, self.settings.patch_seed)
        distances = {"swd": swd_of_patches(patches, self.painting_patches, 1).mean.value}
        if min(len(self.photos), len(self.paintings)) >= SMALLEST_SET:
            made, paintings = self.features(self.photo_pixels), self.painting_features
            found = kid_of_features(pooled(made), pooled(paintings), seed)
            distances["kid"] = found.value
        return distances

    @cached_property
    def inception_of_paintings(self) -> Float[Tensor, "n features"] | None:
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

    The pictures stand in an order drawn by the seed from what they show, so that no number depends
    on what their files are called.

    Raises:
        PortraitPipelineError: if the split is empty.
    """
    evaluation, training = settings.evaluation, settings.training
    seed = evaluation.seed
    own = shuffled_by_content(select_split(photos, splits, "photo", split), seed)
    paintings = shuffled_by_content(select_split(portraits, splits, "painting", split), seed)
    others = shuffled_by_content(select_split(portraits, splits, "painting", "train"), seed)
    margin = settings.faces.window_margin
    landmarks = Memoised(partial(find_landmarks, margin=margin), "placing landmarks")
    judge = load_judge(evaluation.judge, evaluation.judge_weights, margin, landmarks)
    teacher = load_judge(training.teacher, training.teacher_weights, margin)
    classifier = None
    if split == "test":
        real_photos = select_split(photos, splits, "photo", "train")
        classifier = _classifier_of(real_photos, others, evaluation)
    return Reference(
        photos=own,
        paintings=paintings,
        other_paintings=others,
        twins=twins.subset([name for name in own.names if name in set(twins.names)]),
        judge=Memoised(judge, "asking the judge"),
        teacher=Memoised(teacher, "asking the teacher"),
        landmarks=landmarks,
        find_faces=Memoised(find_faces, "finding faces"),
        features=Memoised(lite_features, "looking for paint"),
        inception=load_inception(evaluation.inception_weights),
        lpips=load_lpips(),
        takes_for_painting=classifier,
        settings=evaluation,
        judge_name=evaluation.judge,
        teacher_name=training.teacher,
        split=split,
    )


def _classifier_of(
    photos: FaceSet, paintings: FaceSet, evaluation: EvaluationParameters
) -> Callable[[Pixels], Bool[np.ndarray, " n"]]:
    """Train a classifier of real training pictures.

    At once, not when it is first asked: a worker elsewhere gets it trained with the reference.
    """
    real = shuffled_by_content(photos, evaluation.seed), paintings
    of_photos, of_paintings = (faces[np.arange(len(faces))] for faces in real)
    network = train_classifier(of_photos, of_paintings, evaluation.deception)
    return Memoised(partial(taken_for_paintings, network=network), "asking the classifier")
