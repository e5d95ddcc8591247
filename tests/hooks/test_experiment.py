"""How MLflow opens: the models side by side, in the columns that this project is about."""

import json

import pytest
from mlflow.tracking import MlflowClient

from portrait_pipeline.datasets.run_description import NOTE
from portrait_pipeline.hooks.experiment import (
    KIND,
    VIEW_TAG,
    describe,
    save_view,
    view_of,
    view_page,
)

MEASURED = {
    "generator_loss",
    "test_identity_similarity_by_faceres",
    "test_identity_similarity_max_by_faceres",
    "test_kid_early_n40",
    "test_kid_n40",
    "test_ssim",
    "test_ssim_as_published",
    "test_ssim_min",
}


def test_the_view_has_the_measures_of_this_project() -> None:
    """λ_p, seed, SSIM, identity and KID in this order; no range, no variant of a measure."""
    assert view_of(MEASURED)["selectedColumns"] == [
        "metrics.`lambda_perceptual`",
        "params.`seed`",
        "metrics.`test_ssim`",
        "metrics.`test_identity_similarity_by_faceres`",
        "metrics.`test_kid_n40`",
        "attributes.`Dataset`",
    ]


@pytest.mark.parametrize("metrics", [set(), {"generator_loss"}, MEASURED])
def test_the_view_sorts_by_a_column_that_it_shows_or_by_time(metrics: set[str]) -> None:
    """Also before anything was measured."""
    view = view_of(metrics)
    assert view["orderByKey"] in [*view["selectedColumns"], "attributes.start_time"]
    assert set(view["columnWidths"]) == set(view["columnOrder"]) == set(view["selectedColumns"])


@pytest.mark.usefixtures("mlflow_store")
def test_the_experiment_says_what_it_holds_and_keeps_what_a_person_wrote() -> None:
    """It is one of trainings, its note links to the view; a note by hand stays."""
    client = MlflowClient()
    made = client.create_experiment("portrait_pipeline/mine")
    describe(client, client.get_experiment(made))
    tags = client.get_experiment(made).tags
    assert KIND.items() <= tags.items()
    assert "**mine**" in tags[NOTE]
    assert view_page(made) in tags[NOTE]
    client.set_experiment_tag(made, NOTE, "by hand")
    describe(client, client.get_experiment(made))
    assert client.get_experiment(made).tags[NOTE] == "by hand"


@pytest.mark.usefixtures("mlflow_store")
def test_the_view_follows_what_was_measured() -> None:
    """The metrics of any run of the experiment become columns."""
    client = MlflowClient()
    made = client.create_experiment("portrait_pipeline/mine")
    run = client.create_run(made).info.run_id
    save_view(client, made)
    client.log_metric(run, "test_kid_n7", 1.0)
    save_view(client, made)
    view = json.loads(client.get_experiment(made).tags[VIEW_TAG])
    assert "metrics.`test_kid_n7`" in view["selectedColumns"]
