"""Scores belong to one training: it is named by its history, which both keep."""

import hashlib
from collections.abc import Mapping

import pandas as pd

from portrait_pipeline.errors import PortraitPipelineError

COLUMN = "training"
NUM_DIGITS = 6  # a CSV file may give back a number that differs in its last digit


def training_mark(history: pd.DataFrame) -> str:
    """Name a training by what it logged: 16 hexadecimal digits after a `t`.

    Two trainings that differ in anything differ in their losses. The checkpoint holds the same
    history as the table that the loss curves are drawn from.

    Args:
        history: A row for each epoch; what is missing in a row does not count.
    """
    rows = [
        sorted(f"{name} {value:.{NUM_DIGITS}g}" for name, value in row.items() if pd.notna(value))
        for row in history.select_dtypes("number").to_dict("records")
    ]
    return "t" + hashlib.sha256(repr(rows).encode()).hexdigest()[:16]


def check_scores_are_fresh(
    comparison: pd.DataFrame, histories: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Return the comparison if its scores are those of the trainings in `histories`.

    Args:
        comparison: A row for each model; without the column `training`, as older versions wrote
            it, nothing can be checked.
        histories: The history of each model by its name.

    Raises:
        PortraitPipelineError: naming the models that were trained after they were scored.
    """
    if COLUMN not in comparison:
        return comparison
    scored = dict(zip(comparison["model"], comparison[COLUMN], strict=True))
    stale = [
        model
        for model, history in histories.items()
        if model in scored and scored[model] != training_mark(history)
    ]
    if stale:
        raise PortraitPipelineError(
            f"the scores of {', '.join(stale)} belong to another training than the model that is"
            " there now: run `kedro run --pipeline=evaluate` first, with the --env and --params of"
            " this run"
        )
    return comparison
