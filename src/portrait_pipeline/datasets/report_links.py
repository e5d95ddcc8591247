"""Where a reader of the report page finds more: folders beside it, and its run in MLflow."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import mlflow
from kedro.io import AbstractDataset

from portrait_pipeline.masking import mask_secrets

MLFLOW_RUN = "this run in MLflow"


class ReportLinksDataset(AbstractDataset[None, dict[str, str]]):
    """Loads as addresses by what they lead to; those of folders are relative to the page.

    Args:
        page: File of the page.
        folders: What the page links to, and where it lies.
        mlflow_page: Where `kedro mlflow ui` shows the runs of a store on this machine.
        metadata: Read by Kedro's plugins.
    """

    def __init__(
        self,
        *,
        page: str,
        folders: Mapping[str, str],
        mlflow_page: str,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._page, self._folders, self._mlflow_page = Path(page), dict(folders), mlflow_page
        self.metadata = metadata

    def load(self) -> dict[str, str]:
        """Return the addresses; that of MLflow is missing where nothing is tracked."""
        beside = self._page.parent
        folders = {
            label: quote(Path(os.path.relpath(folder, beside)).as_posix()) + "/"
            for label, folder in self._folders.items()
        }
        return {**_of_mlflow(self._mlflow_page), **folders}

    def save(self, data: None) -> None:
        """Refuse to save: addresses can only be read."""
        raise TypeError("the links of the report are an input only")

    def _describe(self) -> dict[str, Any]:
        return {"page": str(self._page), "folders": self._folders}


def _of_mlflow(page: str) -> dict[str, str]:
    run = mlflow.active_run()
    if run is None:
        return {}
    store = mlflow.get_tracking_uri()
    server = mask_secrets(store) if urlsplit(store).scheme in ("http", "https") else page
    place = f"#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
    return {MLFLOW_RUN: f"{server.rstrip('/')}/{place}"}
