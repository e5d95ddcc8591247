"""Translate photographs that no model was trained on, and judge what comes out."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd
from torch import nn

from portrait_pipeline.cyclegan.retention import (
    choose_checkpoint,
    perceptual_weight,
    recent_checkpoints,
)
from portrait_pipeline.cyclegan.services import Checkpoint
from portrait_pipeline.cyclegan.translate import load_generator, translate
from portrait_pipeline.identity.judge import check_judge_is_not_teacher
from portrait_pipeline.images import FaceSet
from portrait_pipeline.parameters import (
    EvaluationParameters,
    FaceParameters,
    TrainingParameters,
)
from portrait_pipeline.portrayal.shipped import ShippedModelError, read_shipped
from portrait_pipeline.portrayal.torch_model import checkpoint_teacher
from portrait_pipeline.progress import progress_bar
from portrait_pipeline.scoring.controls import score_all_controls
from portrait_pipeline.scoring.finished import FinishedModel, score_finished
from portrait_pipeline.scoring.freshness import training_mark
from portrait_pipeline.scoring.model_tables import tabulate_differences, tabulate_seeds
from portrait_pipeline.scoring.provenance import check_unseen
from portrait_pipeline.scoring.reference import (
    Pixels,
    Reference,
    Settings,
    build_reference,
)
from portrait_pipeline.scoring.scores import (
    add_reconstruction,
    score_briefly,
    score_pictures,
    summarise,
)
from portrait_pipeline.scoring.summaries import (
    Summary,
    in_words,
    summary_of,
    tracked_metrics,
)
from portrait_pipeline.scoring.table_rows import SPREAD, row_of, spread_rows

logger = logging.getLogger(__name__)


class ModelRun(Protocol):
    """The run of a model that is there already, where its test numbers belong."""

    def attach(self, tracking_id: str) -> None:
        """Write into this run from now on."""
        ...

    def log_metrics(self, metrics: Mapping[str, float], step: int) -> None:
        """Write all metrics of one step in one go."""
        ...

    def add_to_tag(self, key: str, value: str) -> None:
        """Add a word to a tag that lists several."""
        ...


def gather_validation_reference(
    photo_faces: FaceSet,
    painting_faces: FaceSet,
    twin_faces: FaceSet,
    splits: pd.DataFrame,
    evaluation: EvaluationParameters,
    training: TrainingParameters,
    faces: FaceParameters,
) -> Reference:
    """Gather the validation pictures and the judges."""
    settings = Settings(evaluation, training, faces)
    return build_reference(photo_faces, painting_faces, twin_faces, splits, "validation", settings)


def gather_test_reference(
    photo_faces: FaceSet,
    painting_faces: FaceSet,
    twin_faces: FaceSet,
    splits: pd.DataFrame,
    evaluation: EvaluationParameters,
    training: TrainingParameters,
    faces: FaceParameters,
) -> Reference:
    """Gather the test pictures and the judges."""
    settings = Settings(evaluation, training, faces)
    return build_reference(photo_faces, painting_faces, twin_faces, splits, "test", settings)


def translate_photos(
    reference: Reference,
    checkpoint: Checkpoint,
    evaluation: EvaluationParameters,
    splits: pd.DataFrame,
) -> tuple[FaceSet, FaceSet, dict[int, FaceSet]]:
    """Make G(x) of every photo, and F(G(x)), its reconstruction.

    Raises:
        PortraitPipelineError: if the judge taught the model, or it was trained on these pictures.

    Returns:
        Portraits, reconstructions, and the portraits of the model's recent checkpoints by epoch.
    """
    check_unseen(checkpoint, splits, reference.split)
    teacher = checkpoint_teacher(checkpoint)
    if teacher is not None:
        check_judge_is_not_teacher(evaluation.judge, teacher)
    averaged, batch_size = evaluation.use_averaged_generator, evaluation.batch_size
    chosen = choose_checkpoint(checkpoint, evaluation.checkpoint)
    names, photos = reference.photos.names, reference.photo_pixels
    paint = load_generator(chosen, "photo_to_portrait", averaged)
    unpaint = load_generator(chosen, "portrait_to_photo", averaged)
    portraits = _translate(paint, photos, batch_size, "portraits")
    back = _translate(unpaint, portraits, batch_size, "reconstructions")
    by_epoch = {}
    for recent in recent_checkpoints(checkpoint):
        paint, epoch = load_generator(recent, "photo_to_portrait"), int(recent["epoch"])
        pixels = _translate(paint, photos, batch_size, f"portraits of epoch {epoch}")
        by_epoch[epoch] = FaceSet(names, pixels)
    logger.info("%s: %d portraits", checkpoint["model"], len(names))
    return FaceSet(names, portraits), FaceSet(names, back), by_epoch


def score_model(
    reference: Reference,
    checkpoint: Checkpoint,
    portraits: FaceSet,
    reconstructions: FaceSet,
    portraits_by_epoch: dict[int, FaceSet],
    run: ModelRun,
) -> tuple[pd.DataFrame, list[Summary]]:
    """Judge a model's portraits and write the numbers into the model's own MLflow run.

    Returns:
        One row of scores per picture, and a summary of the portraits, with the scores of the
        recent checkpoints, and one of the reconstructions F(G(x)).
    """
    model, made, back = checkpoint["model"], _pixels(portraits), _pixels(reconstructions)
    scores = add_reconstruction(reference, score_pictures(reference, made), back)
    metrics = summarise(reference, scores, made)
    back_metrics = summarise(reference, score_pictures(reference, back), back)
    recent = [
        {"epoch": epoch, **score_briefly(reference, _pixels(faces))}
        for epoch, faces in portraits_by_epoch.items()
    ]
    chosen = choose_checkpoint(checkpoint, reference.settings.checkpoint)
    facts = {
        **perceptual_weight(chosen),
        "epochs": chosen["epoch"],
        "seed": checkpoint["parameters"]["seed"],
        "training": training_mark(pd.DataFrame(checkpoint["history"])),
    }
    if checkpoint["tracking_id"]:
        run.attach(checkpoint["tracking_id"])
        run.log_metrics(tracked_metrics(reference, metrics, recent), chosen["epoch"])
        run.add_to_tag("judge", reference.judge_name)
    logger.info("%s: %s", model, in_words(metrics))
    return scores, [
        {**summary_of(model, metrics, reference, facts), "checkpoints": recent},
        summary_of(f"{model}_reconstruction", back_metrics, reference, facts),
    ]


def score_controls(reference: Reference) -> list[Summary]:
    """Score what bounds the models: photos untouched, altered and shuffled, and real paintings."""
    return [
        summary_of(name, metrics, reference, {})
        for name, metrics in score_all_controls(reference).items()
    ]


def score_shipped_model(reference: Reference, ingestion_audit: pd.DataFrame) -> list[Summary]:
    """Score the model that comes with the package, on the photographs that are new to it.

    Returns:
        One summary; none, and a log line, where it cannot be opened or judged.
    """
    try:
        shipped = read_shipped()
        model = shipped.open()
    except ShippedModelError as error:
        logger.warning("%s", error)
        return []
    size_px, seen = shipped.card.size_px, shipped.training_photos
    finished = FinishedModel("shipped_model", model.painter, size_px, model.teacher, seen)
    summary = score_finished(reference, ingestion_audit, finished)
    return [] if summary is None else [summary]


def tabulate_comparison(
    shipped_summary: list[Summary],
    controls_summary: list[Summary],
    *model_summaries: list[Summary],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lay the models and the controls out in one table, a row each (report, section 6).

    Args:
        shipped_summary: Of the model that comes with the package, or nothing.
        controls_summary: Of every control.
        *model_summaries: Of every model, the portraits' summary first, the reconstructions' second.

    Returns:
        The table, models first, and the scores of each model's recent checkpoints, which show how
        far a GAN swings from one epoch to the next; no row where none were kept.
    """
    portraits = [summaries[0] for summaries in model_summaries]
    reconstructions = [summary for summaries in model_summaries for summary in summaries[1:]]
    rows = [*portraits, *shipped_summary, *reconstructions, *controls_summary]
    spread = [row for summary in rows for row in spread_rows(summary)]
    table = pd.DataFrame([row_of(summary) for summary in rows])
    return table, pd.DataFrame(spread, columns=["model", "epoch", "n", *SPREAD])


def summary_over_seeds(models: Mapping[str, str]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Make the node function that summarises the trainings of each model with several seeds.

    Args:
        models: The name that each trained model has in the table, and the name of its settings.
    """

    def summarise_seeds(comparison: pd.DataFrame) -> pd.DataFrame:
        """Give the mean and the range of every measure over a model's seeds."""
        return tabulate_seeds(comparison, models)

    return summarise_seeds


def comparison_of(models: Sequence[str], compared: Mapping[str, str]) -> Callable[..., Any]:
    """Make the node function that compares models picture by picture.

    Args:
        models: Every trained model, in the order of the scores that the node is given.
        compared: A model, and the one that it is compared with.
    """
    about = "proposed" if "proposed" in compared else "baseline"

    def compare_models(
        evaluation: EvaluationParameters, *scores: pd.DataFrame
    ) -> tuple[pd.DataFrame, list[str]]:
        """Return all differences with intervals, and what they say of the proposed model."""
        by_model = dict(zip(models, scores, strict=True))
        settings = evaluation.num_bootstrap_samples, evaluation.seed
        differences = tabulate_differences(by_model, compared, *settings)
        concluded = differences[differences["model"] == about]
        sentences = concluded.loc[concluded["sentence"] != "", "sentence"].tolist()
        for sentence in sentences:
            logger.info("%s", sentence)
        return differences, sentences

    return compare_models


def gather_run_facts(environment: dict[str, Any], *checkpoints: Checkpoint) -> dict[str, Any]:
    """Gather what a reader needs to trust or repeat the numbers: settings, versions, commit."""
    settings = {checkpoint["model"]: checkpoint["parameters"] for checkpoint in checkpoints}
    first = checkpoints[0]
    names = {key for of_model in settings.values() for key in of_model}
    shared = {
        key: value
        for key, value in first["parameters"].items()
        if all(of_model.get(key) == value for of_model in settings.values())
    }
    differing = {
        f"{model}.{key}": of_model[key]
        for model, of_model in settings.items()
        for key in of_model
        if key in names - shared.keys()
    }
    return {
        "settings": {**shared, **differing, **first["preparation"]},
        "seeds": {model: of_model["seed"] for model, of_model in settings.items()},
        "data_hash": first["data_hash"],
        **environment,
    }


def _translate(generator: nn.Module, photos: Pixels, batch_size: int, title: str) -> Pixels:
    parts = []
    with progress_bar(title, len(photos)) as bar:
        for start in range(0, len(photos), batch_size):
            parts.append(translate(generator, photos[start : start + batch_size], batch_size))
            bar.advance(len(parts[-1]))
    return np.concatenate(parts)


def _pixels(faces: FaceSet) -> Any:
    return faces[np.arange(len(faces))]
