"""Tabulate what each λ_p achieved on the validation set, and choose one (report, 5.3)."""

import logging
from typing import Any

import pandas as pd

from portrait_pipeline.metrics.selection import choose_lambda
from portrait_pipeline.metrics.table import row_of
from portrait_pipeline.parameters import TuningParameters

logger = logging.getLogger(__name__)

Summaries = list[dict[str, Any]]


def choose(
    tuning: TuningParameters, reference_summary: Summaries, *lambda_summaries: Summaries
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Lay the λ_p out in one table, a row each, and choose one by the rule of the parameters.

    Args:
        tuning: The rule: `ssim` (the report's) or `pareto`.
        reference_summary: The same training with λ_p = 0, which bounds the distance to paintings.
        *lambda_summaries: Of every λ_p, the portraits' summary first.

    Returns:
        The table and the choice, with its reason and what the other rule would have chosen.
    """
    table = tabulate(*lambda_summaries)
    reference = row_of(reference_summary[0])
    choice = choose_lambda(table, reference, tuning.selection, tuning.max_distance_ratio)
    table = table.assign(
        chosen=table["lambda_perceptual"] == choice.lambda_perceptual,
        rule=choice.rule,
        chosen_by_other_rule=table["lambda_perceptual"] == choice.other_rule_choice,
    )
    logger.info("chosen by %s: %s", choice.rule, choice.reason)
    return table, vars(choice)


def tabulate(*summaries: Summaries) -> pd.DataFrame:
    """Lay several trainings out in one table, a row each; of each its portraits' summary first."""
    return pd.DataFrame([row_of(of_model[0]) for of_model in summaries])
