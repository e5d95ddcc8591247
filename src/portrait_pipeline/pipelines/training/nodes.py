"""Train the models of the experiment, and one for each weight that a tuning tries."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import torch
from pydantic import ValidationError

from portrait_pipeline.cyclegan.data import RealEmbeddings, TrainingData
from portrait_pipeline.cyclegan.schedule import needs_embedder
from portrait_pipeline.cyclegan.services import Checkpoint, CheckpointStore, RunTracker, Services
from portrait_pipeline.cyclegan.train import train_cyclegan
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.selection import choose_pictures, select_split
from portrait_pipeline.identity import load_embedder
from portrait_pipeline.identity.embedding_store import EmbeddingStore, embed_faces
from portrait_pipeline.identity.judge import check_judge_is_not_teacher, load_judge
from portrait_pipeline.images import FaceSet
from portrait_pipeline.parameters import (
    EvaluationParameters,
    FaceParameters,
    ModelParameters,
    TrainingParameters,
    TuningParameters,
)
from portrait_pipeline.scoring.provenance import (
    Provenance,
    ProvenanceStore,
    describe_provenance,
    is_same_training,
    with_provenance,
)
from portrait_pipeline.scoring.validation import Validation

logger = logging.getLogger(__name__)

TrainedModel = tuple[Checkpoint, pd.DataFrame]
TrainingNode = Callable[
    [TrainingData, Validation, TrainingParameters, Provenance, CheckpointStore, RunTracker],
    TrainedModel,
]


def select_training_data(
    photo_faces: FaceSet, painting_faces: FaceSet, splits: pd.DataFrame
) -> TrainingData:
    """Take the training crops of both domains; nothing pairs them."""
    return TrainingData(
        photos=select_split(photo_faces, splits, "photo", "train"),
        paintings=select_split(painting_faces, splits, "painting", "train"),
    )


def describe_training(splits: pd.DataFrame, faces: FaceParameters) -> Provenance:
    """Say which pictures, persons, preparation and code the trainings use."""
    return describe_provenance(splits, faces)


def prepare_validation(
    photo_faces: FaceSet,
    painting_faces: FaceSet,
    splits: pd.DataFrame,
    training: TrainingParameters,
    evaluation: EvaluationParameters,
    faces: FaceParameters,
) -> Validation:
    """Gather the fixed validation pictures that every training watches itself with."""
    check_judge_is_not_teacher(evaluation.judge, training.teacher)
    photos = select_split(photo_faces, splits, "photo", "validation")
    paintings = select_split(painting_faces, splits, "painting", "validation")
    count = training.num_validation_pictures
    return Validation(
        photos=choose_pictures(photos, count, evaluation.seed),
        paintings=choose_pictures(paintings, count, evaluation.seed),
        judge=load_judge(evaluation.judge, evaluation.judge_weights, faces.window_margin),
        batch_size=evaluation.batch_size,
        judge_name=evaluation.judge,
    )


def embed_training_faces(
    data: TrainingData,
    training: TrainingParameters,
    faces: FaceParameters,
    embedding_store: EmbeddingStore,
) -> TrainingData:
    """Add the teacher's embeddings of the real pictures, so that a step embeds only the fakes."""
    embedder = load_embedder(training.teacher, training.teacher_weights, faces.window_margin)
    photo, portrait = (
        torch.from_numpy(embed_faces(crops, embedder, embedding_store))
        for crops in (data.photos, data.paintings)
    )
    return replace(data, real_embeddings=RealEmbeddings(photo, portrait))


def use_chosen_lambda(
    training: TrainingParameters, chosen_lambda: dict[str, Any]
) -> TrainingParameters:
    """Replace the λ_p of the parameters by the one that `tune` chose."""
    return change_settings(training, lambda_perceptual=chosen_lambda["lambda_perceptual"])


def set_tuning_budget(training: TrainingParameters, tuning: TuningParameters) -> TrainingParameters:
    """Limit a training to the pairs and epochs of the tuning (report, 5.3)."""
    return change_settings(
        training, num_training_pairs=tuning.num_pairs, num_epochs=tuning.num_epochs
    )


def training_of(name: str, model: ModelParameters) -> TrainingNode:
    """Make the node function that trains one model of the experiment.

    Args:
        name: How the model is called in its checkpoint and by the tracker.
        model: What differs from `training`; of its seeds the first one counts.
    """
    changes = {**model.training, **dict(zip(["seed"], model.seeds, strict=False))}

    def train_model(
        data: TrainingData,
        validation: Validation,
        training: TrainingParameters,
        provenance: Provenance,
        training_state: CheckpointStore,
        run: RunTracker,
    ) -> TrainedModel:
        settings = change_settings(training, **changes)
        if needs_embedder(settings) and validation.judge_name is not None:
            check_judge_is_not_teacher(validation.judge_name, settings.teacher)
        if settings.reuse:
            saved = training_state.load()
            is_same = is_same_training(saved, name, data, settings, provenance)
            settings = change_settings(settings, resume=is_same)
        store = ProvenanceStore(training_state, provenance)
        return _train(name, data, settings, provenance, Services(run, store, validation))

    differs = ", ".join(f"{key} = {value}" for key, value in changes.items()) or "nothing changed"
    train_model.__doc__ = f"Train CycleGAN as `training` says, with {differs}."
    return train_model


def change_settings(training: TrainingParameters, **changes: Any) -> TrainingParameters:
    """Return settings of a training with some of them changed, checked anew.

    Raises:
        PortraitPipelineError: if a changed setting is impossible.
    """
    try:
        return TrainingParameters.model_validate({**training.model_dump(), **changes})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise PortraitPipelineError(
            f"training.{place} of a model: {first['msg']} (see conf/base/parameters_models.yml)"
        ) from error


def _train(
    model: str,
    data: TrainingData,
    training: TrainingParameters,
    provenance: Provenance,
    services: Services,
) -> TrainedModel:
    margin, embedder = provenance.preparation.window_margin, None
    if needs_embedder(training):
        embedder = load_embedder(training.teacher, training.teacher_weights, margin)
    checkpoint = train_cyclegan(
        data,
        training,
        services,
        model_name=model,
        preparation=provenance.preparation.model_dump(),
        embedder=embedder,
    )
    history = pd.DataFrame(checkpoint["history"])
    logger.info("%s: %s", model, _in_words(history))
    return with_provenance(checkpoint, provenance), history


def _in_words(history: pd.DataFrame) -> str:
    last = history.iloc[-1]
    shown = {"validation_ssim": "SSIM", "validation_identity_similarity": "identity"}
    scores = [f"{name} {last[key]:.3f}" for key, name in shown.items() if last.get(key) is not None]
    trained = f"trained for {last['epoch']:.0f} epochs, {last['step']:,.0f} steps"
    return trained + (f"; on validation {', '.join(scores)}" if scores else "")
