"""The experiment of a workspace in MLflow: made by its first run, and how it opens."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from kedro_mlflow.config.kedro_mlflow_config import KedroMlflowConfig
from mlflow.entities import Experiment
from mlflow.tracking import MlflowClient

from portrait_pipeline.datasets.run_description import NOTE

KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Tells MLflow that this is about training, so that it opens at the runs and not at traces."""
VIEW = "models"
VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"
MAX_RUNS = 500

# The columns of the view by what their metrics' names begin with; what follows in a name says by
# which judge, or on how many pictures, it was measured.
MEASURES = ("test_ssim", "test_identity_similarity", "test_kid", "test_rank_1", "validation_ssim")
LONGER_NAMES = ("_min", "_max", "as_published", "kid_early", "kid_inception")
COLUMN_WIDTH_PX = 130
NARROW_PX = 70


class ProjectMlflow(KedroMlflowConfig):  # type: ignore[misc]  # kedro-mlflow ships no types
    """kedro-mlflow's settings, which make the experiment for a run and for no other command."""

    def _set_experiment(self) -> None:
        """Leave the store as it is: `kedro portray` or `kedro viz` read it at most."""

    def open_experiment(self) -> Experiment:
        """Make the experiment or find it, and say what it holds."""
        super()._set_experiment()
        experiment: Experiment = self.tracking.experiment._experiment
        client: MlflowClient = self.server._mlflow_client
        describe(client, experiment)
        return experiment


def view_page(experiment_id: str) -> str:
    """Return the page of MLflow's UI that shows the models side by side."""
    return f"#/experiments/{experiment_id}/runs?viewStateShareKey={VIEW}"


def describe(client: MlflowClient, experiment: Experiment) -> None:
    """Write the experiment's note; a note that somebody wrote by hand is kept."""
    workspace = experiment.name.rpartition("/")[2]
    note = (
        f"The models of the workspace **{workspace}**, a run for each:"
        f" [compare them]({view_page(experiment.experiment_id)}) by λ_p, seed, SSIM, identity and"
        " KID. A run with the name of a pipeline holds its tables, plots and page."
    )
    wanted = {**KIND, **({} if NOTE in experiment.tags else {NOTE: note})}
    for key, value in wanted.items():
        if experiment.tags.get(key) != value:
            client.set_experiment_tag(experiment.experiment_id, key, value)


def save_view(client: MlflowClient, experiment_id: str) -> None:
    """Let MLflow's page of the experiment open with the columns that this project is about.

    Which metrics there are depends on the judge and on the number of test pictures, so the view
    is written again after every run.
    """
    runs = client.search_runs([experiment_id], max_results=MAX_RUNS)
    state = view_of({key for run in runs for key in run.data.metrics})
    client.set_experiment_tag(experiment_id, VIEW_TAG, json.dumps(state))


def view_of(metrics: Iterable[str]) -> Mapping[str, Any]:
    """Return the state of MLflow's table: its columns, their order and widths, and its sorting."""
    known = sorted(key for key in metrics if not any(part in key for part in LONGER_NAMES))
    shown = [key for measure in MEASURES for key in known if key.startswith(measure)]
    columns = {
        "metrics.`lambda_perceptual`": COLUMN_WIDTH_PX,
        "params.`seed`": NARROW_PX,
        **{f"metrics.`{key}`": COLUMN_WIDTH_PX for key in shown},
        "attributes.`Dataset`": COLUMN_WIDTH_PX,
    }
    sorted_by = next((f"metrics.`{key}`" for key in shown), "attributes.start_time")
    return {
        "selectedColumns": list(columns),
        "columnOrder": list(columns),
        "columnWidths": columns,
        "orderByKey": sorted_by,
        "orderByAsc": False,
    }
