"""The whole sample, shrunk, by Kedro's own runner and by RayRunner: the same numbers."""

import os
import sqlite3
from pathlib import Path

import pytest
from support.kedro_commands import copy_project, run_commands

TINY = (
    "sample.num_photos=32,sample.num_paintings=32,splits.num_train=16,splits.num_validation=8,"
    "splits.num_test=8,training.num_generator_filters=4,training.num_residual_blocks=1,"
    "training.num_discriminator_filters=4,training.num_validation_pictures=8,"
    "num_epochs=2,tuning.num_pairs=4,tuning.num_epochs=1,evaluation.num_bootstrap_samples=100"
)
RUN = ["run", "--env=sample", "--params", TINY]
RUNNER = "--runner=portrait_pipeline.runners.RayRunner"
OF_THE_RUN = ("run_log", "run_facts", "report")
"""Results that tell when and how long, or of which run."""


def _tables(project: Path) -> dict[str, bytes]:
    files = (project / "data/08_reporting/sample").rglob("*")
    return {
        path.name: path.read_bytes()
        for path in files
        if path.is_file()  # a version's folder has the name of its file
        and path.suffix in (".csv", ".json")
        and not path.name.startswith(OF_THE_RUN)
    }


def _runs(project: Path) -> dict[str, str]:
    with sqlite3.connect(project / "mlflow.db") as store:
        return dict(store.execute("select name, status from runs").fetchall())


@pytest.mark.slow
def test_the_sample_gives_the_same_tables(tmp_path: Path) -> None:
    """Law: every table digit for digit, the same crops, the same MLflow runs, all FINISHED."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install -e '.[train,ray]'")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    projects = {name: tmp_path / name for name in ("own", "ray")}
    for name, project in projects.items():
        project.mkdir()
        command = RUN if name == "own" else [*RUN, RUNNER]
        (outcome,) = run_commands(copy_project(project), [command], environment)
        assert outcome.code == 0, outcome.output
        assert "report: data/08_reporting/sample/report.html" in outcome.output
    tables = [_tables(project) for project in projects.values()]
    assert len(tables[0]) > 10
    assert tables[0] == tables[1]
    runs = [_runs(project) for project in projects.values()]
    assert runs[0] == runs[1]
    assert set(runs[1].values()) == {"FINISHED"}
