"""How a tracked training is named where one chooses among several."""

import pytest
from mlflow.entities import Param, Run, RunData, RunInfo

from portrait_pipeline.datasets.trained_models import _label


def tracked(**settings: str) -> Run:
    """A run as MLflow returns it."""
    info = RunInfo(
        run_id="0123456789abcdef",
        experiment_id="1",
        user_id="",
        status="FINISHED",
        start_time=0,
        end_time=1,
        lifecycle_stage="active",
        run_name="proposed",
    )
    return Run(info, RunData(params=[Param(key, value) for key, value in settings.items()]))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "proposed"),
        ({"lambda_perceptual": "0.50", "num_epochs": "9"}, "proposed, λ_p 0.5, 9 epochs"),
        (
            {"lambda_perceptual": "5.0", "perceptual_gradient_share": "0.25"},
            "proposed, 25% of the gradient",
        ),
        ({"lambda_perceptual": "5.0", "perceptual_gradient_share": "None"}, "proposed, λ_p 5"),
    ],
)
def test_the_label_says_what_made_the_model(settings: dict[str, str], words: str) -> None:
    """λ_p, or the share of the gradient that stood in for it, and the epochs."""
    assert _label(tracked(**settings)) == f"{words} (run 01234567)"
