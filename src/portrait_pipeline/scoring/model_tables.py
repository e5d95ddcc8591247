"""Tables of many models: what differs between two of them, and what a seed changes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from portrait_pipeline.metrics.helpers.intervals import compare_paired

# Column of the per-picture scores → name of its mean in the tables.
COMPARED = {
    "judge_similarity": "identity_similarity",
    "found_first": "rank_1",
    "kid_pseudovalue": "kid",
    "ssim": "ssim",
    "ssim_as_published": "ssim_as_published",
    "landmark_error": "landmark_error",
    "lpips": "lpips",
}
# Of these the report's conclusion speaks.
CONCLUDED = {
    "judge_similarity": "Identity (the judge's similarity of portrait and photo)",
    "kid_pseudovalue": "Distance to paintings (KID ×10³; lower is closer)",
    "ssim": "SSIM between photo and portrait",
}
DIFFERENCE_COLUMNS = ("model", "compared_with", "measure", "difference", "low", "high", "n")
NOT_SUMMARISED = ("model", "seed", "epochs", "n", "judge", "teacher")


def tabulate_differences(
    scores: Mapping[str, pd.DataFrame], compared: Mapping[str, str], num_samples: int, seed: int
) -> pd.DataFrame:
    """Compare models picture by picture, with intervals of the paired bootstrap.

    Args:
        scores: The per-picture scores of each model, of the same pictures in the same order.
        compared: A model, and the one whose values are subtracted from its own.
        num_samples: Bootstrap rounds.
        seed: Seeds the rounds.

    Returns:
        A row for each pair and measure: `DIFFERENCE_COLUMNS` and, for the measures of the
        conclusion, `sentence`; a measure that one of the two lacks has no row.
    """
    rows: list[dict[str, Any]] = []
    for model, other in compared.items():
        for column, measure in COMPARED.items():
            own, its = (scores[name][column].to_numpy(np.float64) for name in (model, other))
            if not np.isfinite(own + its).all():
                continue
            words = CONCLUDED.get(column, measure)
            found = compare_paired((model, own), (other, its), words, num_samples, seed)
            interval = found.difference
            numbers = (interval.value, interval.low, interval.high, interval.n)
            row = dict(zip(DIFFERENCE_COLUMNS, (model, other, measure, *numbers), strict=True))
            rows.append({**row, "sentence": found.sentence if column in CONCLUDED else ""})
    return pd.DataFrame(rows, columns=[*DIFFERENCE_COLUMNS, "sentence"])


def tabulate_seeds(comparison: pd.DataFrame, models: Mapping[str, str]) -> pd.DataFrame:
    """Summarise the trainings of each model over its seeds.

    Args:
        comparison: A row for each trained model.
        models: The model that each row belongs to, by the row's own name.

    Returns:
        A row for each model: `model`, `num_seeds`, and of each measure m `m` (the mean), `m_min`
        and `m_max`; the names that are no numbers stay out.
    """
    rows = comparison[comparison["model"].isin(list(models))]
    groups = rows.groupby(rows["model"].map(models), sort=False)
    measures = [
        name
        for name in map(str, rows.select_dtypes("number"))
        if name not in NOT_SUMMARISED and not name.endswith(("_low", "_high", "_min", "_max"))
    ]
    table: dict[str, Any] = {"num_seeds": groups.size()}
    for name in measures:
        values = groups[name]
        table |= {name: values.mean(), f"{name}_min": values.min(), f"{name}_max": values.max()}
    return pd.DataFrame(table).rename_axis("model").reset_index()
