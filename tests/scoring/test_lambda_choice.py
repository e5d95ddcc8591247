"""The two rules that choose λ_p, on tables small enough to see the answer."""

import pandas as pd
import pytest

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.scoring.lambda_choice import choose_lambda

BASELINE = {"model": "lambda_0", "swd": 40.0, "swd_of_photos": 60.0}


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


def test_pareto_takes_the_best_identity_near_the_closest() -> None:
    """10 keeps the person best but is far from paintings; 5 is near the closest, as 1 is."""
    choice = choose_lambda(table(ssim=[0.70, 0.60, 0.65]), BASELINE, "pareto", 1.1)
    assert (choice.lambda_perceptual, choice.rule, choice.other_rule_choice) == (5.0, "pareto", 1.0)
    assert "2 of 3 values" in choice.reason
    assert "closer to paintings than the unchanged photographs are (SWD 60.00)" in choice.reason


def test_the_bound_binds() -> None:
    """How much farther than the closest a model may be decides who may compete."""
    assert choose_lambda(table(), BASELINE, "pareto", 1.1).lambda_perceptual == 5.0
    assert choose_lambda(table(), BASELINE, "pareto", 1.05).lambda_perceptual == 1.0
    far = {**BASELINE, "swd": 1000.0}  # however bad λ_p = 0 is
    assert choose_lambda(table(), far, "pareto", 1.05).lambda_perceptual == 1.0


PHOTOS = {"identity_similarity": 1.0, "ssim": 1.0}


@pytest.mark.parametrize("distance", ["kid", "swd"])
@pytest.mark.parametrize("nudge", [0.0, 1e-9, -0.5, -5.0])
@pytest.mark.parametrize("models", [(60.0, 70.0, 80.0), (20.0, 25.0, 30.0)])
def test_the_unpainted_photograph_is_never_preferred_to_a_painter(
    distance: str, nudge: float, models: tuple[float, ...]
) -> None:
    """A copy of the photographs, altered a little or not, loses wherever a model paints at all."""
    rows = table().drop(columns="swd").assign(**{distance: models})
    copy = pd.DataFrame([{"lambda_perceptual": 99.0, distance: 50.0 + nudge, **PHOTOS}])
    offered = pd.concat([rows, copy], ignore_index=True)
    baseline = {distance: 60.0, f"{distance}_of_photos": 50.0}
    choice = choose_lambda(offered, baseline, "pareto", 1.1)
    if min(models) < 45.0:
        assert choice.lambda_perceptual != 99.0
    else:
        assert "closer to paintings than" in choice.reason


def test_within_the_bound_the_photographs_compete_no_more() -> None:
    """Where the models are hardly closer than the photographs, a copy of these is not taken."""
    rows = table(swd=[47.0, 48.0, 49.0])
    copy = pd.DataFrame([{"lambda_perceptual": 99.0, "swd": 50.0, **PHOTOS}])
    baseline = {"swd": 60.0, "swd_of_photos": 50.0}
    offered = pd.concat([rows, copy], ignore_index=True)
    assert choose_lambda(offered, baseline, "pareto", 1.1).lambda_perceptual == 10.0


def test_kid_counts_before_swd() -> None:
    """Where both distances were measured, the network's decides."""
    both = table(kid=[90.0, 120.0, 95.0])
    baseline = {**BASELINE, "kid": 200.0, "kid_of_photos": 148.0}
    choice = choose_lambda(both, baseline, "pareto", 1.1)
    assert choice.lambda_perceptual == 10.0
    assert "KID 148.00" in choice.reason


def test_pareto_says_when_nobody_comes_closer_than_the_photographs() -> None:
    """Where every model is farther than the photographs, the closest is taken, and it is said."""
    choice = choose_lambda(table(swd=[90.0, 80.0, 85.0]), BASELINE, "pareto", 1.1)
    assert choice.lambda_perceptual == 5.0
    assert choice.reason.startswith("No λ_p brings the portraits closer to paintings")
    assert "the unchanged photographs are" in choice.reason


@pytest.mark.parametrize("rule", ["ssim", "pareto"])
def test_equal_numbers_give_the_smaller_lambda(rule) -> None:
    """A tie goes to the weaker intervention, whatever the order of the rows."""
    tied = table(ssim=[0.5] * 3, identity_similarity=[0.5] * 3, swd=[40.0] * 3)
    assert choose_lambda(tied.iloc[::-1], BASELINE, rule, 1.1).lambda_perceptual == 1.0


def test_missing_numbers_are_named() -> None:
    """A rule whose numbers are missing, in the table or of the baseline, says which."""
    with pytest.raises(
        PortraitPipelineError, match="selection=pareto needs a number for kid or swd"
    ):
        choose_lambda(table(swd=[38.0, float("nan"), 60.0]), BASELINE, "pareto", 1.1)
    with pytest.raises(PortraitPipelineError, match="for kid or swd"):
        choose_lambda(table(), {"swd": None}, "pareto", 1.1)
    with pytest.raises(PortraitPipelineError, match="for identity_similarity, kid or swd"):
        choose_lambda(table()[["lambda_perceptual", "ssim"]], BASELINE, "pareto", 1.1)
    with pytest.raises(PortraitPipelineError, match="no row"):
        choose_lambda(table().iloc[:0], BASELINE, "ssim", 1.1)


def test_the_table_stays_as_it_is() -> None:
    """Choosing changes nothing in the table."""
    before = table()
    after = before.copy()
    choose_lambda(after, BASELINE, "pareto", 1.1)
    pd.testing.assert_frame_equal(before, after)
