"""Where the report page leads: to folders beside it, and to its run in MLflow."""

from pathlib import Path

import mlflow
import pytest

from portrait_pipeline.datasets.report_links import MLFLOW_RUN, ReportLinksDataset

MLFLOW_PAGE = "http://127.0.0.1:5000"


def links(tmp_path: Path) -> dict[str, str]:
    data = tmp_path / "data"
    dataset = ReportLinksDataset(
        page=str(data / "08_reporting" / "a b" / "report.html"),
        folders={
            "tables": str(data / "08_reporting" / "a b"),
            "portraits": str(data / "07_model_output" / "a b"),
        },
        mlflow_page=MLFLOW_PAGE,
    )
    return dataset.load()


def test_folders_are_named_as_seen_from_the_page(tmp_path: Path) -> None:
    """The addresses stay right where the project moves, and are valid whatever the name."""
    assert links(tmp_path) == {"tables": "./", "portraits": "../../07_model_output/a%20b/"}


@pytest.mark.usefixtures("mlflow_store")
def test_the_run_that_made_the_page_is_linked(tmp_path: Path) -> None:
    """As `kedro mlflow ui` shows it; an address of a server keeps no password."""
    with mlflow.start_run() as run:
        place = f"#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
        assert links(tmp_path)[MLFLOW_RUN] == f"{MLFLOW_PAGE}/{place}"
