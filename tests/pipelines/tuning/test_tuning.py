"""The table of λ_p, and the choice that follows from it."""

from typing import Any

import pytest

from portrait_pipeline.parameters import TuningParameters
from portrait_pipeline.pipelines.tuning.nodes import choose_lambda, tabulate_shares
from portrait_pipeline.pipelines.tuning.pipeline import create_pipeline, create_share_pipeline

# λ_p: SSIM, identity, distance to paintings; the distance at 0 is the bound.
MEASURED = {0.0: (0.5, 0.1, 20.0), 1.0: (0.6, 0.5, 21.0), 5.0: (0.7, 0.9, 40.0)}


def summaries(weight: float) -> list[dict[str, Any]]:
    """Word one training as the evaluation does, portraits first and reconstructions second."""
    names = ("ssim", "identity_similarity", "swd")
    metrics = {
        name: {"value": value, "low": value - 0.1, "high": value + 0.1, "n": 30}
        for name, value in zip(names, MEASURED[weight], strict=True)
    }
    of_photos = {"swd": 30.0}
    facts = {
        "distances_of_photos": of_photos,
        "model": f"lambda_{weight:g}",
        "lambda_perceptual": weight,
        "epochs": 9,
        "n": 30,
    }
    one: dict[str, Any] = {**facts, "metrics": metrics, "distances_of_photos": of_photos}
    return [one, {**one, "model": f"lambda_{weight:g}_reconstruction"}]


@pytest.mark.parametrize(("rule", "chosen", "other"), [("ssim", 5.0, 1.0), ("pareto", 1.0, 5.0)])
def test_table_and_choice_agree(rule: str, chosen: float, other: float) -> None:
    """The chosen row, the rule and what the other rule would have chosen stand in both."""
    tuning = TuningParameters(num_pairs=200, num_epochs=9, selection=rule)
    table, choice = choose_lambda(tuning, summaries(0.0), summaries(1.0), summaries(5.0))
    assert table["lambda_perceptual"].tolist() == [1.0, 5.0]
    assert table.loc[table["chosen"], "lambda_perceptual"].tolist() == [chosen]
    assert table.loc[table["chosen_by_other_rule"], "lambda_perceptual"].tolist() == [other]
    assert set(table["rule"]) == {rule}
    assert {"model", "epochs", "n", "ssim", "ssim_low", "ssim_high"} <= set(table)
    assert choice["lambda_perceptual"] == chosen
    assert choice["other_rule_choice"] == other
    assert f"λ_p = {chosen:g}" in choice["reason"]


def test_every_model_of_the_grid_and_lambda_0_are_waited_for() -> None:
    """The choice is made of the summaries of all trainings."""
    needed = create_pipeline(("lambda_1", "lambda_5")).inputs()
    assert needed == {
        "params:tuning",
        "lambda_0_summary",
        "lambda_1_summary",
        "lambda_5_summary",
    }


def test_shares_are_laid_out_like_weights() -> None:
    """A row for each training, its portraits' summary, and nothing is chosen."""
    table = tabulate_shares(summaries(1.0), summaries(5.0))
    assert table["model"].tolist() == ["lambda_1", "lambda_5"]
    assert "chosen" not in table
    assert create_share_pipeline(("share_0_5",)).inputs() == {"share_0_5_summary"}
