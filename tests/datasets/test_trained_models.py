"""How a tracked training is named where one chooses among several."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from kedro.io import DataCatalog, MemoryDataset
from mlflow.entities import Param, Run, RunData, RunInfo

from portrait_pipeline.datasets.trained_models import TrainedModels, _label
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.portrayal import shipped


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


def models_of(names: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> TrainedModels:
    """What is trained in a catalog of these checkpoints, without MLflow."""
    catalog = DataCatalog({f"{name}_checkpoint": MemoryDataset({}) for name in names})
    monkeypatch.setattr(TrainedModels, "_tracked_runs", lambda _: [])
    return TrainedModels(catalog, "none")


@pytest.mark.parametrize(
    ("trained", "default"),
    [((), "pretrained"), (("baseline",), "pretrained"), (("baseline", "proposed"), "proposed")],
)
def test_the_model_of_the_package_paints_where_none_is_trained(
    monkeypatch: pytest.MonkeyPatch, model_folder: Path, trained: Sequence[str], default: str
) -> None:
    """Unless another one is asked for."""
    monkeypatch.setattr(shipped, "_place", lambda _: model_folder)
    assert models_of(trained, monkeypatch).default() == default


def test_the_model_of_the_package_is_offered_last(
    monkeypatch: pytest.MonkeyPatch, model_folder: Path, tmp_path: Path
) -> None:
    """And not at all where it is not there; asked for by name, it says why."""
    models = models_of(("proposed",), monkeypatch)
    monkeypatch.setattr(shipped, "_place", lambda _: model_folder)
    assert [name for _, name in models.names()] == ["proposed", "pretrained"]
    assert models.load("pretrained").preparation.crop_size_px == 64
    monkeypatch.setattr(shipped, "_place", lambda _: tmp_path)
    assert [name for _, name in models.names()] == ["proposed"]
    with pytest.raises(PortraitPipelineError, match="comes with portrait_pipeline is missing"):
        models.load("pretrained")
