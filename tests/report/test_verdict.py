"""The first sentence says who beats whom: photographs and filters are named before any praise."""

from typing import Any

import pandas as pd
import pytest

from portrait_pipeline.report.verdict import trained_models, word_deception, word_verdict

LEARN_NOTHING = (
    *("photo_itself", "recoloured_photos"),
    *("filter_fine", "filter_medium", "filter_coarse"),
)


def table(distance: str, **values: float) -> pd.DataFrame:
    """Make a comparison with one distance."""
    models = {"baseline": 0.0, "proposed": 1.0}
    return pd.DataFrame(
        [
            {
                "model": name,
                "lambda_perceptual": models.get(name, float("nan")),
                distance: value,
                f"{distance}_low": value - 5,
                f"{distance}_high": value + 5,
            }
            for name, value in values.items()
        ]
    )


@pytest.mark.parametrize("distance", ["kid", "swd"])
@pytest.mark.parametrize("control", LEARN_NOTHING)
def test_a_control_that_beats_every_model_is_named_first(distance: str, control: str) -> None:
    """Whichever control is closer to paintings, the sentence begins with it and has its number."""
    values = {"photo_itself": 148.0, "baseline": 261.0, "proposed": 130.0, "filter_medium": 150.0}
    values |= {control: 99.0}
    said = word_verdict(table(distance, **values), ["baseline", "proposed"])
    assert said.startswith("No model paints")
    assert "99" in said
    assert "Proposed (130" in said


def test_a_model_that_beats_all_controls_is_said_to() -> None:
    """With its number and those of what it beat."""
    values = {"photo_itself": 148.0, "filter_medium": 99.0, "proposed": 77.0, "baseline": 261.0}
    said = word_verdict(table("kid", **values), ["baseline", "proposed"])
    assert "Proposed (77" in said
    assert "photo itself (148" in said
    assert "closer to real paintings than everything that learns nothing" in said


@pytest.mark.parametrize("near", [(), ("filter_medium",), ("photo_itself", "filter_medium")])
def test_a_lead_that_the_intervals_do_not_support_is_not_claimed(near: tuple[str, ...]) -> None:
    """Controls whose intervals meet the model's are said to be not told apart from it."""
    distances = dict.fromkeys(("photo_itself", "filter_medium"), 148.0) | dict.fromkeys(near, 79.0)
    comparison = table("kid", proposed=77.0, **distances)
    said = word_verdict(comparison, ["proposed"])
    beaten, _, untold = said.partition("are not told apart from")
    names = {"photo_itself": "photo itself", "filter_medium": "medium filter and palette"}
    for name, words in names.items():
        assert words in (untold if name in near else beaten)
    assert ("everything" in said) is (not near)
    assert ("closer" in said) is (len(near) < 2)


def test_the_network_s_distance_decides_where_there_are_two() -> None:
    """By KID the model leads, by SWD the photographs would: KID is what is said."""
    comparison = table("kid", photo_itself=148.0, proposed=77.0)
    of_swd = table("swd", photo_itself=59.0, proposed=84.0)[["swd", "swd_low", "swd_high"]]
    said = word_verdict(pd.concat([comparison, of_swd], axis=1), ["proposed"])
    assert "KID" in said
    assert "closer" in said


def test_without_a_distance_it_is_said() -> None:
    """No number is no praise."""
    assert "was not measured" in word_verdict(table("ssim", proposed=0.3), ["proposed"])


def test_models_are_the_rows_with_a_weight(inputs: Any) -> None:
    """Controls and reconstructions are none."""
    comparison = inputs["comparison"]
    assert trained_models(comparison) == ["baseline", "proposed"]


@pytest.mark.parametrize(("rate", "may_be_read"), [(0.1, True), (0.35, False)])
def test_a_classifier_that_takes_photographs_for_paintings_says_nothing(
    rate: float, may_be_read: bool
) -> None:
    """More than a fifth of any altered photographs is too many, and it is said which."""
    rows = [("photo_itself", 0.03), ("blurred_photos", rate), ("proposed", 0.97)]
    comparison = pd.DataFrame(rows, columns=["model", "deception_rate"])
    said = word_deception(comparison)
    assert ("may be read" in said) is may_be_read
    assert ("says nothing here" in said) is not may_be_read
    assert "blurred photos" in said
    assert word_deception(comparison.drop(columns="deception_rate")) == ""
