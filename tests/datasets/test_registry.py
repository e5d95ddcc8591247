"""A registered model says where it comes from, and which version is to be used."""

from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from portrait_pipeline.datasets.registry import ALIAS, describe_version

NAME = "portrait_pipeline-sample-proposed"


@pytest.mark.usefixtures("mlflow_store")
def test_the_newest_version_has_the_alias_and_says_how_it_was_trained(tmp_path: Path) -> None:
    """Description, alias and tags of a version come from the run that trained it."""
    client = MlflowClient()
    client.create_registered_model(NAME)
    run = client.create_run(client.create_experiment("mine")).info.run_id
    client.log_param(run, "lambda_perceptual", "0.5")
    client.log_param(run, "seed", "3")
    client.set_tag(run, "kedro_command", "kedro run --env=sample")
    for run_id in (None, run):
        version = client.create_model_version(NAME, str(tmp_path), run_id).version
        describe_version(client, NAME, version, run_id)
    first = client.get_model_version(NAME, "1")
    newest = client.get_model_version_by_alias(NAME, ALIAS)
    assert int(newest.version) == 2
    assert newest.tags["lambda_perceptual"] == "0.5"
    assert "λ_p = 0.5 and seed 3 by `kedro run --env=sample`" in newest.description
    assert "its run is gone" in first.description
    model = client.get_registered_model(NAME)
    assert f"--model {NAME}@{ALIAS}" in model.description
    assert model.tags["task"] == "photo-to-portrait"
