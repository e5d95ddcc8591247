"""Decides where MLflow keeps runs and artifacts."""

import logging
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kedro.framework.context import KedroContext
from omegaconf import OmegaConf

from portrait_pipeline.masking import mask_secrets

logger = logging.getLogger(__name__)

ARTIFACTS = "mlartifacts"
STORE = "mlflow.db"
SERVERS = ("http", "https", "databricks", "databricks-uc", "uc")
# The columns of MLflow's database that hold absolute paths of artifacts.
PATH_COLUMNS = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
}

# Read before MLflow and kedro-mlflow set it to what they were configured with.
GIVEN_URI = os.environ.get("MLFLOW_TRACKING_URI")


def register_resolvers(project: Path) -> None:
    """Let the configuration name the project's folder, and the store that the user chose."""
    default = f"sqlite:///{project}/{STORE}"
    resolvers = {
        "project_path": lambda: str(project),
        "mlflow_tracking_uri": lambda: GIVEN_URI or default,
    }
    for name, resolve in resolvers.items():
        OmegaConf.register_new_resolver(name, resolve, replace=True)


def settle_store(context: KedroContext) -> None:
    """Complete the settings of MLflow before kedro-mlflow reads them.

    A store on this machine keeps its artifacts in the project's folder, wherever the project has
    moved; a server decides by itself where artifacts go.
    """
    project = Path(context.project_path)
    settings = context.config_loader["mlflow"]
    uri = str(settings.get("server", {}).get("mlflow_tracking_uri"))
    if GIVEN_URI and uri != GIVEN_URI:
        logger.warning(
            "MLFLOW_TRACKING_URI=%s is not used: an mlflow.yml of this environment names %s",
            mask_secrets(GIVEN_URI),
            mask_secrets(uri),
        )
    if urlsplit(uri).scheme not in SERVERS and uri not in SERVERS:
        settings = _with_artifact_location(settings, str(project / ARTIFACTS))
    if uri == f"sqlite:///{project}/{STORE}":
        follow_the_project(project)
    context.config_loader["mlflow"] = settings


def _with_artifact_location(settings: Mapping[str, Any], default: str) -> dict[str, Any]:
    tracking = dict(settings.get("tracking", {}))
    experiment = dict(tracking.get("experiment", {}))
    given = experiment.get("create_experiment_kwargs", {})
    experiment["create_experiment_kwargs"] = {"artifact_location": default, **given}
    return {**settings, "tracking": {**tracking, "experiment": experiment}}


def follow_the_project(project: Path) -> None:
    """Point the artifacts of the project's own store to where the project is now.

    MLflow keeps absolute paths: without this a project that was moved or copied would go on
    writing into its old folder.
    """
    store, now = project / STORE, (project / ARTIFACTS).as_uri()
    if not store.is_file():
        return
    try:
        with closing(sqlite3.connect(store, timeout=1.0)) as database, database:
            for former in _former_locations(database, now):
                _replace_prefix(database, former, now)
                logger.info("the project has moved: its MLflow artifacts are in %s", ARTIFACTS)
    except sqlite3.Error as error:
        logger.debug("MLflow's store was left as it is", exc_info=error)


def _former_locations(database: sqlite3.Connection, now: str) -> list[str]:
    """Find the folders named as ours elsewhere, which the experiments of this store point to."""
    rows = database.execute("SELECT DISTINCT artifact_location FROM experiments").fetchall()
    found = {
        str(location)
        for (location,) in rows
        if str(location).endswith(f"/{ARTIFACTS}") and urlsplit(location).scheme in ("", "file")
    }
    return sorted(found - {now, now.removeprefix("file://")})


def _replace_prefix(database: sqlite3.Connection, former: str, now: str) -> None:
    for table, columns in PATH_COLUMNS.items():
        known = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
        for column in known.intersection(columns):
            database.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?)"
                f" WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                (now, len(former) + 1, former, len(former) + 1, f"{former}/"),
            )
