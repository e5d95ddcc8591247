"""What is kept of a model's scores: for the tables, for MLflow, for the terminal."""

from dataclasses import asdict
from typing import Any

import numpy as np

from portrait_pipeline.scoring.reference import Reference
from portrait_pipeline.scoring.scores import Metrics
from portrait_pipeline.scoring.table_rows import SPREAD

Summary = dict[str, Any]

# Numbers that depend on how many pictures they were measured with carry that number in their name.
OF_A_SET = (
    "kid",
    "kid_early",
    "kid_inception",
    "swd",
    "deception_rate",
    "diversity",
    "rank_1",
    "rank_5",
    "true_accept_rate",
)


# Numbers that another judge would give otherwise carry the judge's name.
BY_THE_JUDGE = ("identity_similarity", "rank_1", "rank_5", "true_accept_rate")


def summary_of(
    model: str, metrics: Metrics, reference: Reference, facts: dict[str, Any]
) -> Summary:
    """Gather what the tables show of one model or control."""
    return {
        "model": model,
        **facts,
        "split": reference.split,
        "judge": reference.judge_name,
        "teacher": reference.teacher_name,
        "n": len(reference.photos),
        "metrics": {name: asdict(interval) for name, interval in metrics.items()},
        "distances_of_photos": reference.distances_of_photos,
        "reasons": reference.reasons,
    }


def tracked_metrics(
    reference: Reference, metrics: Metrics, recent: list[dict[str, float]]
) -> dict[str, float]:
    """Name what MLflow shows: the scores, and the span of those of the recent checkpoints."""
    prefix = "test" if reference.split == "test" else "tuning"
    values = {name: interval.value for name, interval in metrics.items()}
    for name in SPREAD if len(recent) > 1 else ():
        values[f"{name}_min"] = min(scores[name] for scores in recent)
        values[f"{name}_max"] = max(scores[name] for scores in recent)
    return {
        f"{prefix}_{name}{_suffix(name, reference)}": value
        for name, value in values.items()
        if np.isfinite(value)
    }


def _suffix(name: str, reference: Reference) -> str:
    """Say what a number depends on, so that no other one overwrites it in MLflow."""
    measured = name.removesuffix("_min").removesuffix("_max")
    count = f"_n{len(reference.photos)}" if measured in OF_A_SET else ""
    return count + (f"_by_{reference.judge_name}" if measured in BY_THE_JUDGE else "")


def in_words(metrics: Metrics) -> str:
    """Say a model's most telling numbers in one line."""
    shown = ("ssim", "identity_similarity", "rank_1", "kid", "swd")
    return ", ".join(f"{name} {metrics[name].value:.3f}" for name in shown if name in metrics)
