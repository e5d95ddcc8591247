"""Tabulate what each λ_p achieved on the validation set, and choose one (report, 5.3)."""

import logging
from typing import Any

import pandas as pd

from portrait_pipeline.parameters import TuningParameters
from portrait_pipeline.scoring import lambda_choice
from portrait_pipeline.scoring.table_rows import row_of

logger = logging.getLogger(__name__)

Summaries = list[dict[str, Any]]


def choose_lambda(
    tuning: TuningParameters, lambda_0_summary: Summaries, *lambda_summaries: Summaries
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Lay the λ_p out in one table, a row each, and choose one by the rule of the parameters.

    Args:
        tuning: The rule: `ssim` (the report's) or `pareto`.
        lambda_0_summary: The same training with λ_p = 0, which bounds the distance to paintings.
        *lambda_summaries: Of every λ_p, the portraits' summary first.

    Returns:
        The table and the choice, with its reason and what the other rule would have chosen.
    """
    table = tabulate_shares(*lambda_summaries)
    lambda_0 = row_of(lambda_0_summary[0])
    choice = lambda_choice.choose_lambda(
        table, lambda_0, tuning.selection, tuning.max_distance_ratio
    )
    table = table.assign(
        chosen=table["lambda_perceptual"] == choice.lambda_perceptual,
        rule=choice.rule,
        chosen_by_other_rule=table["lambda_perceptual"] == choice.other_rule_choice,
    )
    logger.info("chosen by %s: %s", choice.rule, choice.reason)
    return table, vars(choice)


def tabulate_shares(*summaries: Summaries) -> pd.DataFrame:
    """Lay several trainings out in one table, a row each; of each its portraits' summary first."""
    return pd.DataFrame([row_of(of_model[0]) for of_model in summaries])
