"""Translate photographs that no model was trained on, and judge what comes out."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Protocol

import numpy as np
import pandas as pd

from portrait_pipeline.cyclegan.ports import Checkpoint
from portrait_pipeline.cyclegan.translate import load_generator, translate
from portrait_pipeline.images import FaceSet
from portrait_pipeline.metrics.intervals import compare_paired
from portrait_pipeline.metrics.table import row_of
from portrait_pipeline.parameters import (
    EvaluationParameters,
    FaceParameters,
    Split,
    TrainingParameters,
)
from portrait_pipeline.pipelines.evaluation.reference import Reference, Settings, build_reference
from portrait_pipeline.pipelines.evaluation.scoring import (
    Metrics,
    add_reconstruction,
    measure_style,
    score_pictures,
    summarise,
)

logger = logging.getLogger(__name__)

Summary = dict[str, Any]


class ModelRun(Protocol):
    """The run of a model that is there already, where its test numbers belong."""

    def attach(self, tracking_id: str) -> None:
        """Write into this run from now on."""
        ...

    def log_metrics(self, metrics: Mapping[str, float], step: int) -> None:
        """Write all metrics of one step in one go."""
        ...


# Numbers that depend on how many pictures they were measured with carry that number in their name.
OF_A_SET = ("swd", "kid", "diversity", "rank_1", "rank_5", "true_accept_rate")
COMPARED = {
    "judge_similarity": "identity (the judge's similarity of portrait and photo)",
    "ssim": "SSIM between photo and portrait",
}


def reference_of(split: Split) -> Callable[..., Reference]:
    """Make the node function that gathers what the models of one split are judged against."""

    def gather(
        photo_faces: FaceSet,
        portrait_faces: FaceSet,
        twin_faces: FaceSet,
        splits: pd.DataFrame,
        evaluation: EvaluationParameters,
        training: TrainingParameters,
        faces: FaceParameters,
    ) -> Reference:
        settings = Settings(evaluation, training, faces)
        return build_reference(photo_faces, portrait_faces, twin_faces, splits, split, settings)

    gather.__doc__ = f"Gather the {split} pictures and the judges."
    return gather


def translate_photos(
    reference: Reference, checkpoint: Checkpoint, evaluation: EvaluationParameters
) -> tuple[FaceSet, FaceSet]:
    """Make G(x) of every photo, and F(G(x)), its reconstruction."""
    averaged, batch_size = evaluation.use_averaged_generator, evaluation.batch_size
    paint = load_generator(checkpoint, "photo_to_portrait", averaged)
    unpaint = load_generator(checkpoint, "portrait_to_photo", averaged)
    names = reference.photos.names
    portraits = translate(paint, reference.photo_pixels, batch_size)
    reconstructions = translate(unpaint, portraits, batch_size)
    logger.info("%s: %d portraits", checkpoint["model"], len(names))
    return FaceSet(names, portraits), FaceSet(names, reconstructions)


def score_model(
    reference: Reference,
    checkpoint: Checkpoint,
    portraits: FaceSet,
    reconstructions: FaceSet,
    run: ModelRun,
) -> tuple[pd.DataFrame, list[Summary]]:
    """Judge a model's portraits and write the numbers into the model's own MLflow run.

    Returns:
        One row of scores per picture, and a summary of the portraits and one of the
        reconstructions F(G(x)).
    """
    model, made, back = checkpoint["model"], _pixels(portraits), _pixels(reconstructions)
    scores = add_reconstruction(reference, score_pictures(reference, made), back)
    metrics = summarise(reference, scores, made)
    back_metrics = summarise(reference, score_pictures(reference, back), back)
    facts = {
        "lambda_perceptual": checkpoint["parameters"]["lambda_perceptual"],
        "epochs": checkpoint["epoch"],
    }
    if checkpoint["tracking_id"]:
        run.attach(checkpoint["tracking_id"])
        run.log_metrics(_tracked(reference.split, metrics), checkpoint["epoch"])
    logger.info("%s: %s", model, _in_words(metrics))
    return scores, [
        _summary(model, metrics, reference, facts),
        _summary(f"{model}_reconstruction", back_metrics, reference, facts),
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
        summaries.append(_summary(model, summarise(reference, scores, pictures), reference, {}))
    floor = measure_style(reference, _pixels(reference.other_paintings))
    return [*summaries, _summary("real_paintings", floor, reference, {})]


def tabulate_comparison(
    baseline_summary: list[Summary],
    proposed_summary: list[Summary],
    controls_summary: list[Summary],
) -> pd.DataFrame:
    """Lay the models and the controls out in one table, a row each (report, section 6)."""
    rows = [*baseline_summary, *proposed_summary, *controls_summary]
    return pd.DataFrame([row_of(summary) for summary in rows]).sort_values(
        "model", key=lambda names: ~names.isin(["baseline", "proposed"]), kind="stable"
    )


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


def _pixels(faces: FaceSet) -> Any:
    return faces[np.arange(len(faces))]


def _summary(model: str, metrics: Metrics, reference: Reference, facts: dict[str, Any]) -> Summary:
    return {
        "model": model,
        **facts,
        "split": reference.split,
        "judge": reference.judge_name,
        "teacher": reference.teacher_name,
        "n": len(reference.photos),
        "metrics": {name: asdict(interval) for name, interval in metrics.items()},
    }


def _tracked(split: Split, metrics: Metrics) -> dict[str, float]:
    prefix = "test" if split == "test" else "tuning"
    return {
        f"{prefix}_{name}" + (f"_n{interval.n}" if name in OF_A_SET else ""): interval.value
        for name, interval in metrics.items()
        if np.isfinite(interval.value)
    }


def _in_words(metrics: Metrics) -> str:
    shown = ("ssim", "identity_similarity", "rank_1", "swd")
    return ", ".join(f"{name} {metrics[name].value:.3f}" for name in shown)
