"""A typing mistake is answered with what was meant."""

import pytest

from portrait_pipeline.suggestions import did_you_mean

KNOWN = ("train", "train_baseline", "train_proposed", "evaluate", "num_epochs", "λ_p")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("train_propsed", "train_proposed"),
        ("Train_Baseline", "train_baseline"),
        ("evalute", "evaluate"),
        ("epochs", "num_epochs"),
        ("trian", "train"),
    ],
)
def test_a_name_that_is_almost_right_is_found(typed: str, meant: str) -> None:
    """A letter that is missing, swapped or of the wrong case."""
    assert meant in did_you_mean(typed, KNOWN)
    assert did_you_mean(typed, KNOWN).startswith("did you mean ")


@pytest.mark.parametrize("typed", ["", "xyz", "photographs_of_my_aunt"])
def test_nothing_is_suggested_where_nothing_is_near(typed: str) -> None:
    """Then the caller lists what there is."""
    assert did_you_mean(typed, KNOWN) == ""
    assert did_you_mean(typed, ()) == ""
