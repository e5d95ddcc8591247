"""Where runs and artifacts are kept: the project's folder, or what the user chose."""

import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from omegaconf import OmegaConf

from portrait_pipeline.given_text import plain_name
from portrait_pipeline.hooks import store
from portrait_pipeline.hooks.store import follow_the_project, register_resolvers, settle_store

ROOT = Path(__file__).resolve().parents[2]


def settled(project: Path, **settings: Any) -> Any:
    """Settle the settings of `conf/base/mlflow.yml`, with some of them changed."""
    register_resolvers(project)
    OmegaConf.register_new_resolver("runtime_params", lambda *_: "sample", replace=True)
    OmegaConf.register_new_resolver("globals", lambda *_: "sample", replace=True)
    OmegaConf.register_new_resolver("plain_name", plain_name, replace=True)
    loaded = OmegaConf.load(ROOT / "conf" / "base" / "mlflow.yml")
    merged = OmegaConf.to_container(OmegaConf.merge(loaded, settings), resolve=True)
    context = SimpleNamespace(project_path=project, config_loader={"mlflow": merged})
    settle_store(context)  # type: ignore[arg-type]
    return context.config_loader["mlflow"]


def artifact_location(settings: Any) -> str | None:
    experiment = settings["tracking"]["experiment"]
    location: str | None = experiment.get("create_experiment_kwargs", {}).get("artifact_location")
    return location


def test_by_default_everything_is_in_the_projects_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs and artifacts lie where Kedro says that the project is, not where the package is."""
    monkeypatch.setattr(store, "GIVEN_URI", None)
    settings = settled(tmp_path)
    assert settings["server"]["mlflow_tracking_uri"] == f"sqlite:///{tmp_path}/mlflow.db"
    assert artifact_location(settings) == str(tmp_path / "mlartifacts")


@pytest.mark.parametrize(
    ("uri", "is_server"),
    [
        ("http://127.0.0.1:5000", True),
        ("https://me:secret@runs.example.org", True),
        ("databricks", True),
        ("databricks://profile", True),
        ("sqlite:////elsewhere/mlflow.db", False),
        ("postgresql://me@db/mlflow", False),
    ],
)
def test_a_server_decides_where_artifacts_go(
    uri: str, is_server: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLFLOW_TRACKING_URI is used; a folder of this machine is named to local stores alone."""
    monkeypatch.setattr(store, "GIVEN_URI", uri)
    settings = settled(tmp_path)
    assert settings["server"]["mlflow_tracking_uri"] == uri
    assert (artifact_location(settings) is None) == is_server


def test_a_location_that_was_chosen_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project's own default never replaces what an mlflow.yml says."""
    monkeypatch.setattr(store, "GIVEN_URI", None)
    chosen = {"experiment": {"create_experiment_kwargs": {"artifact_location": "s3://bucket"}}}
    assert artifact_location(settled(tmp_path, tracking=chosen)) == "s3://bucket"


def test_a_uri_that_is_not_used_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where an mlflow.yml names another store, one line says so, without the password."""
    monkeypatch.setattr(store, "GIVEN_URI", "https://me:secret@runs.example.org")
    settled(tmp_path, server={"mlflow_tracking_uri": "sqlite:////other.db"})
    assert "MLFLOW_TRACKING_URI=https://***@runs.example.org is not used" in caplog.text


@pytest.mark.parametrize("former", ["/home/me/old project", "/home/me/mlartifacts/deep", "/"])
def test_a_moved_project_keeps_its_artifacts_beside_it(former: str, tmp_path: Path) -> None:
    """Every path that MLflow keeps follows, old artifacts are found; other places are left."""
    before = (Path(former) / "mlartifacts").as_uri()
    rows = [before, f"{before}/1/artifacts", f"{before}2/1/artifacts", "s3://bucket/mlartifactsx"]
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database, database:
        for table, columns in store.PATH_COLUMNS.items():
            database.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
            for row in rows:
                marks = ", ".join("?" * len(columns))
                database.execute(f"INSERT INTO {table} VALUES ({marks})", [row] * len(columns))
    follow_the_project(tmp_path)
    now = (tmp_path / "mlartifacts").as_uri()
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        for table, columns in store.PATH_COLUMNS.items():
            for column in columns:
                found = [row for (row,) in database.execute(f"SELECT {column} FROM {table}")]
                assert found == [now, f"{now}/1/artifacts", *rows[2:]]


@pytest.mark.parametrize("content", [b"", b"no database" * 1000, None])
def test_a_store_that_is_none_is_left_to_mlflow(content: bytes | None, tmp_path: Path) -> None:
    """An empty, invalid or missing file is not touched here; opening it says what is wrong."""
    if content is not None:
        (tmp_path / "mlflow.db").write_bytes(content)
    follow_the_project(tmp_path)
    assert (tmp_path / "mlflow.db").is_file() == (content is not None)
