"""The two rules that choose λ_p, on tables small enough to see the answer."""

import pandas as pd
import pytest

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.scoring.lambda_choice import choose_lambda

BASELINE = {"model": "reference", "swd": 40.0}


def table(**columns: list[float]) -> pd.DataFrame:
    values = {
        "lambda_perceptual": [1.0, 5.0, 10.0],
        "ssim": [0.60, 0.70, 0.65],
        "identity_similarity": [0.30, 0.50, 0.80],
        "swd": [38.0, 43.9, 60.0],
    }
    return pd.DataFrame({**values, **columns})


def test_ssim_takes_the_highest_mean() -> None:
    """The report's rule looks at SSIM alone; the choice names what the other rule would take."""
    choice = choose_lambda(table(ssim=[0.70, 0.60, 0.65]), BASELINE, "ssim", 1.1)
    assert (choice.lambda_perceptual, choice.rule, choice.other_rule_choice) == (1.0, "ssim", 5.0)
    assert "highest mean SSIM, 0.7000" in choice.reason


def test_the_report_s_own_table_gives_the_report_s_choice() -> None:
    """With the published 0.8545, 0.9825 and 0.8692 (section 5.3) the rule chooses 5."""
    published = pd.DataFrame({"lambda_perceptual": [1, 5, 10], "ssim": [0.8545, 0.9825, 0.8692]})
    choice = choose_lambda(published, {}, "ssim", 1.1)
    assert (choice.lambda_perceptual, choice.other_rule_choice) == (5.0, None)


def test_pareto_takes_the_best_identity_within_the_distance() -> None:
    """10 keeps the person best but is too far from paintings; 5 is within 10 % of the baseline."""
    choice = choose_lambda(table(ssim=[0.70, 0.60, 0.65]), BASELINE, "pareto", 1.1)
    assert (choice.lambda_perceptual, choice.rule, choice.other_rule_choice) == (5.0, "pareto", 1.0)
    assert "2 of 3 values" in choice.reason
    assert "44.00 (1.1 × the baseline's 40.00)" in choice.reason


def test_a_wider_distance_lets_more_in() -> None:
    """The ratio decides who may compete."""
    assert choose_lambda(table(), BASELINE, "pareto", 1.5).lambda_perceptual == 10.0
    assert choose_lambda(table(), BASELINE, "pareto", 1.0).lambda_perceptual == 1.0


def test_pareto_says_when_nobody_comes_close() -> None:
    """Where every model is too far, the closest is taken, and the reason says so."""
    choice = choose_lambda(table(swd=[90.0, 80.0, 85.0]), BASELINE, "pareto", 1.1)
    assert choice.lambda_perceptual == 5.0
    assert choice.reason.startswith("No λ_p keeps the distance")


@pytest.mark.parametrize("rule", ["ssim", "pareto"])
def test_equal_numbers_give_the_smaller_lambda(rule) -> None:
    """A tie goes to the weaker intervention, whatever the order of the rows."""
    tied = table(ssim=[0.5] * 3, identity_similarity=[0.5] * 3, swd=[40.0] * 3)
    assert choose_lambda(tied.iloc[::-1], BASELINE, rule, 1.1).lambda_perceptual == 1.0


def test_missing_numbers_are_named() -> None:
    """A rule whose numbers are missing, in the table or of the baseline, says which."""
    with pytest.raises(PortraitPipelineError, match="selection=pareto needs a number for swd"):
        choose_lambda(table(swd=[38.0, float("nan"), 60.0]), BASELINE, "pareto", 1.1)
    with pytest.raises(PortraitPipelineError, match="for swd"):
        choose_lambda(table(), {"swd": None}, "pareto", 1.1)
    with pytest.raises(PortraitPipelineError, match="for identity_similarity, swd"):
        choose_lambda(table()[["lambda_perceptual", "ssim"]], BASELINE, "pareto", 1.1)
    with pytest.raises(PortraitPipelineError, match="no row"):
        choose_lambda(table().iloc[:0], BASELINE, "ssim", 1.1)


def test_the_table_stays_as_it_is() -> None:
    """Choosing changes nothing in the table."""
    before = table()
    after = before.copy()
    choose_lambda(after, BASELINE, "pareto", 1.1)
    pd.testing.assert_frame_equal(before, after)
