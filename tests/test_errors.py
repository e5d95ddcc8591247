"""Errors that a person can fix: one sentence with the value, what was expected and the command."""

import pytest

from portrait_pipeline.errors import (
    PortraitPipelineError,
    TrackingLostError,
    TrainingDivergedError,
)


def test_a_diverged_training_names_term_step_and_value() -> None:
    """The sentence has all that is known, and it can be read from the error as well."""
    error = TrainingDivergedError("cycle_loss", 17, float("nan"), 2e-4)
    assert str(error).startswith("cycle_loss is nan at step 17 with learning_rate 0.0002, expected")
    assert (error.term, error.step, error.learning_rate) == ("cycle_loss", 17, 2e-4)


def test_a_lost_store_says_what_to_do_now_and_afterwards() -> None:
    """While the training runs only the remedy is said; at its end the command to go on with."""
    error = TrackingLostError("sqlite:///mlflow.db", "disk full")
    assert "sqlite:///mlflow.db" in error.remedy
    assert "disk full" in error.remedy
    assert "resume=true" not in error.remedy
    assert str(error).endswith("`--params resume=true`")


@pytest.mark.parametrize(
    "error",
    [
        TrainingDivergedError("cycle_loss", 1, float("inf"), 1e-3),
        TrackingLostError("store", "gone"),
    ],
)
def test_each_is_one_sentence_for_the_terminal(error: Exception) -> None:
    """All of them are shown without a traceback, on one line and without a full stop."""
    assert isinstance(error, PortraitPipelineError)
    assert "\n" not in str(error)
    assert not str(error).endswith(".")
