"""The whole sample, shrunk to seconds, through the commands that people type."""

import json
import multiprocessing
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pytest
from support.kedro_commands import copy_project, run_commands
from support.kedro_project import PRELOADED, KedroProject
from support.kill_switch import KillSwitch
from support.notebook import run_notebook

from portrait_pipeline.cyclegan.checkpoint_files import read_checkpoint, write_checkpoint

TINY = (
    "sample.num_photos=32,sample.num_paintings=32,splits.num_train=16,splits.num_validation=8,"
    "splits.num_test=8,training.num_generator_filters=4,training.num_residual_blocks=1,"
    "training.num_discriminator_filters=4,training.num_validation_pictures=8,"
    "training.num_recent_averages=2,num_epochs=2,tuning.num_pairs=4,tuning.num_epochs=1,"
    "evaluation.num_bootstrap_samples=100,evaluation.deception.num_steps=10"
)
SAMPLE = ["run", "--env=sample"]
RESULTS = {".csv", ".html", ".pt", ".png"}
"""Endings of results; what a run notes of itself, as JSON, is written node by node."""
MODELS = ("baseline", "lambda_0", "lambda_1", "lambda_5", "lambda_10", "proposed")


class Project:
    """A copy of the project in which the sample has been run once."""

    def __init__(self, folder: Path) -> None:
        self.folder = copy_project(folder)
        self.environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [*SAMPLE, "--params", TINY]
        self.first = run_commands(self.folder, [command], self.environment)[0]

    def file(self, name: str, layer: str = "08_reporting", workspace: str = "sample") -> Path:
        """Find a result: the file itself, or its only version."""
        path = self.folder / "data" / layer / workspace / name
        return next(path.glob(f"*/{name}")) if path.is_dir() else path

    def table(self, name: str) -> pd.DataFrame:
        """Read a table of the reporting layer."""
        return pd.read_csv(self.file(f"{name}.csv"))

    def files(self) -> set[Path]:
        """List every file below the data."""
        return {path for path in (self.folder / "data").rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Run the sample."""
    return Project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def kedro(project: Project) -> Iterator[KedroProject]:
    """Further runs in the project; their processes need not import everything again."""
    store = f"sqlite:///{project.folder}/mlflow.db"
    made = KedroProject(project.folder, multiprocessing.get_context("forkserver"), store)
    made.processes.set_forkserver_preload(PRELOADED)
    yield made
    made.stop()


def mlflow_rows(folder: Path) -> dict[str, dict[str, Any]]:
    """Read the table of the MLflow UI: for each run its name, λ_p and test or tuning SSIM."""
    rows: dict[str, dict[str, Any]] = {}
    with sqlite3.connect(folder / "mlflow.db") as store:
        for run, name, status in store.execute("select run_uuid, name, status from runs"):
            rows[name] = {"status": status}
            for table in ("params", "latest_metrics"):
                found = store.execute(f"select key, value from {table} where run_uuid=?", (run,))
                rows[name] |= dict(found)
    return rows


def statuses_of_runs(folder: Path) -> dict[str, str]:
    """Read the status of every run in MLflow's store by its id."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as store:
        return dict(store.execute("select run_uuid, status from runs"))


def test_the_run_ends_with_table_figure_and_report(project: Project) -> None:
    """Exit code 0; at last the tables, where the page lies, how long it took, and what is next."""
    assert project.first.code == 0, project.first.output
    lines = project.first.output.splitlines()
    assert "report: data/08_reporting/sample/report.html" in lines
    assert lines[-5].startswith("This took ")
    for line, command in zip(lines[-3:], ("mlflow ui", "viz run", "portray me.jpg"), strict=True):
        assert line.startswith(f"  kedro {command} --env=sample")
    assert max(map(len, lines)) <= 80
    assert "figure 1: data/08_reporting/sample/figure_1.png" in lines
    assert any(line.split()[:1] == ["proposed"] for line in lines)


def test_the_terminal_speaks_of_this_project_alone(project: Project) -> None:
    """Stages, what they say, where results lie: no warning, no library's log, no broken line."""
    for line in project.first.output.splitlines():
        assert "warning" not in line.lower(), line
        assert not line.startswith(("INFO", "20")), line
    stages = [line for line in project.first.output.splitlines() if line.startswith("[")]
    total = stages[0].split("/")[1].split("]")[0]
    assert [stage.split("]")[0] for stage in stages] == [
        f"[{number}/{total}" for number in range(1, int(total) + 1)
    ]


def test_every_result_is_where_the_catalog_says(project: Project) -> None:
    """The named results exist, complete, with a checkpoint for each model."""
    comparison, tuned = project.table("comparison"), project.table("lambda_table")
    assert {"model", "lambda_perceptual", "ssim"} <= set(comparison)
    assert comparison["model"].tolist()[:2] == ["baseline", "proposed"]
    assert {"lambda_perceptual", "epochs", "ssim"} <= set(tuned)
    assert tuned["lambda_perceptual"].tolist() == [1.0, 5.0, 10.0]
    assert len(project.table("checkpoint_spread")) == 4
    for model in MODELS:
        checkpoint = read_checkpoint(project.file(f"{model}.pt", "06_models"))
        assert checkpoint["model"] == model
    for name in ("splits.csv", "ingestion_audit.csv", "ingestion_summary.json"):
        assert project.file(name, "03_primary").stat().st_size > 0
    assert "<!doctype html>" in project.file("report.html").read_text(encoding="utf-8")[:200]
    assert project.file("figure_1.png").stat().st_size > 10_000


def test_the_chosen_lambda_trains_the_proposed_model(project: Project) -> None:
    """Table, choice, checkpoint and comparison agree on one λ_p, by the rule of the sample."""
    tuned = project.table("lambda_table")
    chosen = tuned.loc[tuned["chosen"], "lambda_perceptual"].item()
    choice = json.loads(project.file("chosen_lambda.json").read_text(encoding="utf-8"))
    assert choice["rule"] == "pareto"
    by_ssim = tuned.loc[tuned["ssim"].idxmax(), "lambda_perceptual"]
    assert choice["other_rule_choice"] == by_ssim
    assert choice["lambda_perceptual"] == chosen
    proposed = read_checkpoint(project.file("proposed.pt", "06_models"))
    assert proposed["parameters"]["lambda_perceptual"] == chosen
    comparison = project.table("comparison").set_index("model")
    assert comparison.loc["proposed", "lambda_perceptual"] == chosen
    assert comparison.loc["baseline", "lambda_perceptual"] == 0.0


def test_mlflow_compares_the_models_by_lambda_and_ssim(project: Project) -> None:
    """One run for each model, finished, with its λ_p and its SSIM in one row, as in the tables."""
    rows = mlflow_rows(project.folder)
    tuned = project.table("lambda_table").set_index("model")
    tested = project.table("comparison").set_index("model")
    for model in MODELS:
        assert rows[model]["status"] == "FINISHED"
        weight = float(rows[model]["lambda_perceptual"])
        if model in tested.index:
            assert rows[model]["test_ssim"] == pytest.approx(tested.loc[model, "ssim"])
            assert weight == tested.loc[model, "lambda_perceptual"]
        elif model in tuned.index:
            assert rows[model]["tuning_ssim"] == pytest.approx(tuned.loc[model, "ssim"])
            assert weight == tuned.loc[model, "lambda_perceptual"]


def test_the_notebook_runs_from_top_to_bottom(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started in its folder, as by Jupyter, it shows the results without an error or a log line."""
    monkeypatch.setenv("KEDRO_ENV", "sample")
    monkeypatch.setenv("PYTHONPATH", str(project.folder / "src"))
    done = run_notebook("results.ipynb", project.folder / "notebooks")
    cells = [cell for cell in done.cells if cell.cell_type == "code"]
    shown = [output for cell in cells for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in shown)
    texts = [str(output.get("data", {}).get("text/plain", output.get("text"))) for output in shown]
    assert not [text for text in texts if re.search(r"INFO|WARNING|Loading data|Kedro", text)]


BAD_INPUT = {
    "an unknown parameter": (
        ["--params", "lambda_perceptul=3"],
        ("lambda_perceptul", "lambda_perceptual"),
    ),
    "an unknown setting of a pipeline": (
        ["--params", "training.lamda_cycle=3"],
        ("lamda_cycle",),
    ),
    "a mistyped value": (["--params", "num_epochs=many"], ("num_epochs", "many")),
    "a teacher that is nobody": (["--params", "teacher=nobody"], ("teacher", "nobody", "dlib")),
    "inputs that are not there": (
        ["--pipeline=train_proposed", "--params", "workspace=new"],
        ("photo_faces", "kedro run --env=sample --pipeline=ingest"),
    ),
    "an empty folder": (
        ["--pipeline=ingest", "--params", "workspace=new,photos_folder=empty"],
        ("empty", "photos_folder"),
    ),
    "a folder that is not there": (
        ["--pipeline=ingest", "--params", "workspace=new,photos_folder=nowhere"],
        ("nowhere", "photos_folder"),
    ),
    "resuming with another architecture": (
        [
            "--pipeline=train_baseline",
            "--params",
            f"{TINY.replace('filters=4', 'filters=8')},resume=true",
        ],
        ("num_generator_filters 4 → 8", "resume=false"),
    ),
    "a judge that is the teacher": (
        ["--pipeline=evaluate", "--params", "judge=dlib"],
        ("judge=dlib", "teacher=dlib"),
    ),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_is_one_sentence(name: str, project: Project, kedro: KedroProject) -> None:
    """It names the value, what was expected or what fixes it; code 1; no traceback; no leavings."""
    (project.folder / "empty").mkdir(exist_ok=True)
    before = project.files()
    arguments, expected = BAD_INPUT[name]
    code, output = kedro.run(arguments)
    assert code == 1, output
    sentence = output.strip().splitlines()[-1]
    assert sentence.startswith("error: ")
    assert "Traceback" not in output
    for words in expected:
        assert words in output.partition("error: ")[2], output
    assert not project.files() - before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("stage", ["evaluate", "report"])
def test_a_signal_ends_every_stage_as_killed(
    project: Project,
    kedro: KedroProject,
    stage: Literal["evaluate", "report"],
    number: signal.Signals,
) -> None:
    """MLflow says KILLED, one sentence says why, the code is 1, and every result is as it was."""
    before = {path: path.read_bytes() for path in project.files() if path.suffix in RESULTS}
    runs = statuses_of_runs(project.folder)
    given = [f"--pipeline={stage}", "--params", TINY]
    code, output = kedro.run(given, KillSwitch(stage, 3, number))
    assert code == 1, output
    assert f"error: {number.name} stopped the command" in output
    assert "Traceback" not in output
    of_this = statuses_of_runs(project.folder).items() - runs.items()
    assert {status for _, status in of_this} == {"KILLED"}
    assert {path: path.read_bytes() for path in project.files() if path.suffix in RESULTS} == before
    assert not [path for path in project.files() if path.name.startswith(".")]


def test_a_terminal_of_ascii_and_no_log_file_stop_nothing(project: Project) -> None:
    """Under `LC_ALL=C` and with a log that cannot be written the report is whole, in UTF-8."""
    report = project.file("report.html")
    whole = report.read_text(encoding="utf-8")
    report.unlink()
    log = project.folder / "portrait_pipeline.log"
    log.rename(log.with_suffix(".kept"))
    log.mkdir()
    ascii_only = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "kedro", *SAMPLE, "--pipeline=report", "--params", TINY],
        cwd=project.folder,
        env={**project.environment, **ascii_only, "PYTHONPATH": str(project.folder / "src")},
        capture_output=True,
        check=False,
    )
    log.rmdir()
    log.with_suffix(".kept").rename(log)
    said = (done.stdout + done.stderr).decode("ascii")
    assert done.returncode == 0, said
    assert said.count("cannot be written (Is a directory)") == 1
    assert "Traceback" not in said
    assert "λ" in whole
    assert report.read_text(encoding="utf-8").count("λ") == whole.count("λ")


def test_the_packaged_project_keeps_its_runs_where_it_is_started(tmp_path: Path) -> None:
    """`python -m portrait_pipeline` in any folder with settings writes beside them."""
    package = copy_project(tmp_path / "package") / "src"
    folder = tmp_path / "here"
    shutil.copytree(package.parent / "conf", folder / "conf")
    environment = {key: os.environ[key] for key in os.environ if key != "MLFLOW_TRACKING_URI"}
    done = subprocess.run(
        [sys.executable, "-m", "portrait_pipeline", "--env=sample", "--pipeline=report"],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "is not there yet: run `kedro run --env=sample" in done.stderr, done.stderr
    assert [path.parent.name for path in tmp_path.rglob("mlflow.db")] == ["here"]


def test_too_few_faces_are_one_sentence(project: Project, kedro: KedroProject) -> None:
    """It names what there is and what is needed; of the refused stage nothing stays."""
    few = f"{TINY},workspace=few,splits.split=exact,splits.num_train=900"
    code, output = kedro.run(["--pipeline=ingest", "--params", few])
    assert code == 1
    assert "900" in output.splitlines()[-1]
    assert not (project.folder / "data" / "03_primary" / "few").exists()


def test_a_foreign_checkpoint_is_one_sentence(project: Project, kedro: KedroProject) -> None:
    """It names what the checkpoint says and holds; nothing unfinished stays."""
    path = project.file("baseline.pt", "06_models")
    checkpoint = read_checkpoint(path)
    parameters = {**checkpoint["parameters"], "num_generator_filters": 6}
    newer = path.parents[1] / "2099-01-01T00.00.00.000Z"
    write_checkpoint(newer / path.name, {**checkpoint, "parameters": parameters})
    code, output = kedro.run(["--pipeline=evaluate", "--params", TINY])
    shutil.rmtree(newer)
    assert code == 1
    assert "another architecture" in output.splitlines()[-1]
    assert not [path for path in project.files() if path.name.startswith(".")]
