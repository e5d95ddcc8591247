"""Translate photographs that no model was trained on, and judge what comes out."""

import logging
from collections.abc import Callable, Mapping
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
from portrait_pipeline.images import FaceSet
from portrait_pipeline.metrics.helpers.intervals import compare_paired
from portrait_pipeline.parameters import (
    EvaluationParameters,
    FaceParameters,
    Split,
    TrainingParameters,
)
from portrait_pipeline.progress import progress_bar
from portrait_pipeline.scoring.reference import (
    Pixels,
    Reference,
    Settings,
    build_reference,
)
from portrait_pipeline.scoring.scores import (
    add_reconstruction,
    measure_style,
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


COMPARED = {
    "judge_similarity": "Identity (the judge's similarity of portrait and photo)",
    "ssim": "SSIM between photo and portrait",
}


def reference_of(split: Split) -> Callable[..., Reference]:
    """Make the node function that gathers what the models of one split are judged against."""

    def gather(
        photo_faces: FaceSet,
        painting_faces: FaceSet,
        twin_faces: FaceSet,
        splits: pd.DataFrame,
        evaluation: EvaluationParameters,
        training: TrainingParameters,
        faces: FaceParameters,
    ) -> Reference:
        settings = Settings(evaluation, training, faces)
        return build_reference(photo_faces, painting_faces, twin_faces, splits, split, settings)

    gather.__doc__ = f"Gather the {split} pictures and the judges."
    return gather


def translate_photos(
    reference: Reference, checkpoint: Checkpoint, evaluation: EvaluationParameters
) -> tuple[FaceSet, FaceSet, dict[int, FaceSet]]:
    """Make G(x) of every photo, and F(G(x)), its reconstruction.

    Returns:
        Portraits, reconstructions, and the portraits of the model's recent checkpoints by epoch.
    """
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
    facts = {**perceptual_weight(chosen), "epochs": chosen["epoch"]}
    if checkpoint["tracking_id"]:
        run.attach(checkpoint["tracking_id"])
        run.log_metrics(tracked_metrics(reference, metrics, recent), chosen["epoch"])
    logger.info("%s: %s", model, in_words(metrics))
    return scores, [
        {**summary_of(model, metrics, reference, facts), "checkpoints": recent},
        summary_of(f"{model}_reconstruction", back_metrics, reference, facts),
    ]


def score_controls(reference: Reference) -> list[Summary]:
    """Score what bounds the models: the photo, its twin, another's photo, other paintings."""
    photos = reference.photo_pixels
    controls = {"photo_itself": photos, "shuffled_pairs": np.roll(photos, 1, axis=0)}
    if len(reference.twins) == len(reference.photos):
        controls["painted_twin"] = _pixels(reference.twins)
    summaries = []
    for model, pictures in controls.items():
        scores = score_pictures(reference, pictures)
        summaries.append(summary_of(model, summarise(reference, scores, pictures), reference, {}))
    floor = measure_style(reference, _pixels(reference.other_paintings))
    return [*summaries, summary_of("real_paintings", floor, reference, {})]


def tabulate_comparison(
    baseline_summary: list[Summary],
    proposed_summary: list[Summary],
    controls_summary: list[Summary],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lay the models and the controls out in one table, a row each (report, section 6).

    Returns:
        The table, and the scores of each model's recent checkpoints, which show how far a GAN
        swings from one epoch to the next; no row where none were kept.
    """
    rows = [*baseline_summary, *proposed_summary, *controls_summary]
    table = pd.DataFrame([row_of(summary) for summary in rows]).sort_values(
        "model", key=lambda names: ~names.isin(["baseline", "proposed"]), kind="stable"
    )
    spread = [row for summary in rows for row in spread_rows(summary)]
    return table, pd.DataFrame(spread, columns=["model", "epoch", "n", *SPREAD])


def compare_models(
    baseline_scores: pd.DataFrame, proposed_scores: pd.DataFrame, evaluation: EvaluationParameters
) -> list[str]:
    """Say what the paired bootstrap over the test pictures allows to be said."""
    sentences = [
        compare_paired(
            ("proposed", proposed_scores[column].to_numpy(np.float64)),
            ("baseline", baseline_scores[column].to_numpy(np.float64)),
            words,
            evaluation.num_bootstrap_samples,
            evaluation.seed,
        ).sentence
        for column, words in COMPARED.items()
    ]
    for sentence in sentences:
        logger.info("%s", sentence)
    return sentences


def gather_run_facts(
    baseline_checkpoint: Checkpoint, proposed_checkpoint: Checkpoint, environment: dict[str, Any]
) -> dict[str, Any]:
    """Gather what a reader needs to trust or repeat the numbers: settings, versions, commit."""
    baseline, proposed = baseline_checkpoint["parameters"], proposed_checkpoint["parameters"]
    shared = {key: value for key, value in proposed.items() if baseline[key] == value}
    differing = {
        f"{model}.{key}": settings[key]
        for model, settings in (("baseline", baseline), ("proposed", proposed))
        for key in settings
        if key not in shared
    }
    return {
        "settings": {**shared, **differing, **proposed_checkpoint["preparation"]},
        "seeds": {"training": proposed["seed"]},
        "data_hash": proposed_checkpoint["data_hash"],
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
