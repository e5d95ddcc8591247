"""From summaries to rows of the tables that people read."""

from collections.abc import Hashable, Mapping
from typing import Any

FACTS = ("model", "seed", "lambda_perceptual", "perceptual_gradient_share", "epochs", "n")
NAMES = ("judge", "teacher", "training")
SPREAD = ("ssim", "identity_similarity", "rank_1", "kid", "swd")
"""What is measured of each of a model's recent checkpoints, since GANs swing."""


def row_of(summary: Mapping[str, Any]) -> dict[Hashable, Any]:
    """Lay one summary out flat.

    Facts, then `m`, `m_low`, `m_high` of each metric m, then `m_of_photos`, the distance of the
    unchanged photographs to paintings, for each distance, then `m_why` where it could not be
    measured, then `m_min`, `m_max` over the model's recent checkpoints where several were kept,
    then names.

    Args:
        summary: Facts of a model or control; `metrics`: name → value, low, high; and, where there
            are any, `distances_of_photos`: name → value, `reasons`: name → why not, and
            `checkpoints`: a mapping of scores for each.
    """
    row: dict[Hashable, Any] = {key: summary.get(key) for key in FACTS}
    for name, interval in summary["metrics"].items():
        row[name] = interval["value"]
        row[f"{name}_low"], row[f"{name}_high"] = interval["low"], interval["high"]
    for name, distance in summary.get("distances_of_photos", {}).items():
        row[f"{name}_of_photos"] = distance
    for name, reason in summary.get("reasons", {}).items():
        row[f"{name}_why"] = reason
    checkpoints = summary.get("checkpoints", [])
    for name in SPREAD if len(checkpoints) > 1 else ():
        scores = [checkpoint[name] for checkpoint in checkpoints]
        row[f"{name}_min"], row[f"{name}_max"] = min(scores), max(scores)
    return {**row, **{key: summary.get(key) for key in NAMES}}


def spread_rows(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List the scores of a model's recent checkpoints: model, epoch, n and those of `SPREAD`."""
    return [
        {"model": summary["model"], "epoch": scores["epoch"], "n": summary["n"]}
        | {name: scores[name] for name in SPREAD}
        for scores in summary.get("checkpoints", [])
    ]
