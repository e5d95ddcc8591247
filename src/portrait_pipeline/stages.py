"""What a run tells the person at the terminal, and keeps for the report: stages, results, times."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from portrait_pipeline.datasets.places import location
from portrait_pipeline.hooks import is_rank_zero

logger = logging.getLogger(__name__)

RUN_LOG = "run_log"

# Columns of the tables on the terminal, and what they are called there.
SHOWN_COLUMNS = {
    "model": "model",
    "lambda_perceptual": "λ_p",
    "n": "N",
    "ssim": "SSIM",
    "ssim_as_published": "as published",
    "identity_similarity": "identity",
    "rank_1": "rank-1",
    "swd": "SWD",
}


class Terminal:
    """One line when a stage starts and one that says where its result lies.

    A stage is a node whose result is kept, or that fills a store; what only hands something on in
    memory is not one. Of a versioned result the folder of its versions is shown.
    """

    def __init__(self) -> None:
        self._num_stages = 0
        self._num_started = 0
        self._project_path = Path()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember the project's folder, to name paths below it."""
        self._project_path = Path(context.project_path)

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Count the stages."""
        self._num_stages = sum(_is_stage(node, catalog) for node in pipeline.nodes)
        self._num_started = 0

    @hook_impl
    def before_node_run(self, node: Node, catalog: DataCatalog) -> None:
        """Say what starts."""
        if _is_stage(node, catalog):
            self._num_started += 1
            title = node.short_name.replace("_", " ").lower()
            logger.info("[%d/%d] %s", self._num_started, self._num_stages, title)

    @hook_impl
    def after_node_run(self, catalog: DataCatalog, outputs: Mapping[str, Any]) -> None:
        """Say where the results lie."""
        paths = [location(catalog, name, of_version=False) for name in outputs]
        shown = [str(self._shown(path)) for path in paths if path is not None]
        if shown:
            logger.info("        → %s", ", ".join(shown))

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """End with the table, and with where report and figure lie."""
        made = pipeline.all_outputs()
        for name in ("lambda_table", "comparison"):
            if name in made:
                logger.info("\n%s\n%s", name.replace("_", " "), shown_table(catalog.load(name)))
        for name in ("figure_1", "report"):
            path = location(catalog, name)
            if name in made and path is not None:
                logger.info("\n%s: %s", name.replace("_", " "), self._shown(path))

    def _shown(self, path: Path) -> Path:
        is_inside = path.is_relative_to(self._project_path)
        return path.relative_to(self._project_path) if is_inside else path


def _is_stage(node: Node, catalog: DataCatalog) -> bool:
    fills_a_store = any(name.endswith("_store") for name in node.inputs)
    return fills_a_store or any(location(catalog, name) is not None for name in node.outputs)


def shown_table(table: pd.DataFrame) -> str:
    """Write the columns of a table that a person looks for first."""
    columns = [column for column in SHOWN_COLUMNS if column in table]
    shown = table[columns].rename(columns=SHOWN_COLUMNS)
    if "chosen" in table:
        shown[""] = ["← chosen" if chosen else "" for chosen in table["chosen"]]
    text: str = shown.to_string(index=False, na_rep="–", float_format="{:.3f}".format)
    return text


class RunLogHook:
    """Keeps the commands that made the results of a workspace, and how long each node took.

    A run that makes nothing leaves nothing: the command is kept with its first result.
    """

    def __init__(self) -> None:
        self._command: dict[str, str] = {}
        self._started: dict[str, float] = {}

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Remember the command."""
        command, name = command_of(run_params)
        self._command = {name: command}

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Look at the clock."""
        self._started[node.name] = time.monotonic()

    @hook_impl
    def after_node_run(self, node: Node, catalog: DataCatalog) -> None:
        """Keep the node's duration, and the command that ran it."""
        seconds = time.monotonic() - self._started.pop(node.name)
        if is_rank_zero():
            durations = {node.short_name: round(seconds, 2)}
            catalog[RUN_LOG].save({"commands": self._command, "durations": durations})


def command_of(run_params: Mapping[str, Any]) -> tuple[str, str]:
    """Return the command that starts such a run again, and the name of its pipeline."""
    names = run_params.get("pipeline_names") or [run_params.get("pipeline_name") or "__default__"]
    name = ",".join(names)
    parts = ["kedro run"]
    if run_params.get("env"):
        parts.append(f"--env={run_params['env']}")
    if name != "__default__":
        parts.append(f"--pipeline={name}")
    given = run_params.get("runtime_params") or {}
    if given:
        parts.append("--params " + ",".join(_as_typed(given)))
    return " ".join(parts), name


def _as_typed(values: Mapping[str, Any], prefix: str = "") -> list[str]:
    typed = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            typed += _as_typed(value, f"{prefix}{key}.")
        else:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            typed.append(f"{prefix}{key}={text}")
    return typed
