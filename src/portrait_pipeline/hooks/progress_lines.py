"""Prints the stages of a run, where their results are, and the tables."""

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
from kedro.runner import SequentialRunner

from portrait_pipeline.datasets.places import location
from portrait_pipeline.hooks.run_log import RUN_LOG
from portrait_pipeline.hooks.saved_outputs import SavedOutputs
from portrait_pipeline.hooks.time_left import TimeLeft
from portrait_pipeline.progress import in_words

logger = logging.getLogger(__name__)

# Columns of the tables on the terminal, and what they are called there.
SHOWN_COLUMNS = {
    "model": "model",
    "lambda_perceptual": "λ_p",
    "identity_similarity": "identity",
    "rank_1": "rank-1",
    "kid": "KID",
    "swd": "SWD",
    "ssim": "SSIM",
}
STORES = ("_store", "_detections")
"""Endings of the names of datasets that a node fills while it runs."""
GROUPS = ("ingestion", "preparation", "tuning", "evaluation", "reporting")
"""Namespaces that only group nodes in Kedro-Viz; the others are models."""
MAX_NAME_CHARACTERS = 24  # seven columns within 80 characters


class ProgressLines:
    """Prints a line when a stage starts and one that says where its result lies.

    A stage is a node whose result is stored, or that fills a store; a node that only passes data
    on in memory is none. For a versioned result the folder of its versions is shown.
    """

    def __init__(self) -> None:
        self._num_stages = 0
        self._num_started = 0
        self._project_path = Path()
        self._catalog: DataCatalog | None = None
        self._outputs = SavedOutputs()
        self._saved: set[str] = set()
        self._began = self._node_began = 0.0
        self._time_left = TimeLeft((), {})

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember the project's folder, to name paths below it."""
        self._project_path = Path(context.project_path)

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Count the stages that will run."""
        if run_params.get("only_missing_outputs"):
            # by Kedro's own rule, which it applies only after the hooks
            pipeline = SequentialRunner()._filter_pipeline_for_missing_outputs(pipeline, catalog)
        self._num_stages = sum(_is_stage(node, catalog) for node in pipeline.nodes)
        self._num_started = 0
        self._catalog, self._saved = catalog, set()
        self._began = time.monotonic()
        self._time_left = TimeLeft(pipeline.nodes, _measured(catalog))

    @hook_impl
    def before_node_run(self, node: Node, catalog: DataCatalog) -> None:
        """Say what starts."""
        self._outputs.expect(node)
        self._node_began = time.monotonic()
        if _is_stage(node, catalog):
            self._num_started += 1
            title = node.name.rpartition(".")[2].replace("_", " ")
            group = (node.namespace or "").rpartition(".")[2]
            model = f" ({group})" if group not in ("", *GROUPS) else ""
            left = self._time_left.in_words()
            stage = f"[{self._num_started}/{self._num_stages}] {title}{model}"
            logger.info("%s", f"{stage} · {left}" if left else stage)

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Look at the clock."""
        self._time_left.add(node.name, time.monotonic() - self._node_began)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Say where the results of a node lie once all of them are there."""
        self._saved.add(dataset_name)
        if self._catalog is None or not self._outputs.are_complete(node, dataset_name):
            return
        paths = [location(self._catalog, name, of_version=False) for name in node.outputs]
        for path in filter(None, paths):
            logger.info("        → %s", self._shown(path))

    @hook_impl
    def after_pipeline_run(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """End with the table, where report and figure lie, how long it took, and what is next."""
        if not self._saved:
            logger.info("nothing to do: every result is there already")
            return
        for name in ("lambda_table", "comparison"):
            if name in self._saved:
                logger.info("\n%s\n%s", name.replace("_", " "), shown_table(catalog.load(name)))
        for name in ("figure_1", "report"):
            path = location(catalog, name)
            if name in self._saved and path is not None:
                logger.info("\n%s: %s", name.replace("_", " "), self._shown(path))
        logger.info("\nThis took %s.", in_words(time.monotonic() - self._began))
        if "report" in self._saved:
            logger.info("What to look at next:\n%s", next_commands(run_params))

    def _shown(self, path: Path) -> Path:
        is_inside = path.is_relative_to(self._project_path)
        return path.relative_to(self._project_path) if is_inside else path


def next_commands(run_params: Mapping[str, Any]) -> str:
    """Return the three commands that show what a run has made, in its environment."""
    env = run_params.get("env")
    option = f" --env={env}" if env else ""
    workspace = (run_params.get("runtime_params") or {}).get("workspace")
    of_workspace = f" --workspace={workspace}" if workspace else ""
    commands = {
        f"kedro mlflow ui{option}{of_workspace}": "the models side by side",
        f"kedro viz run{option}": "the pipeline",
        f"kedro portray me.jpg{option}{of_workspace} --out=portraits": "your photo",
    }
    width = max(map(len, commands))
    return "\n".join(f"  {command:<{width}}  # {what}" for command, what in commands.items())


def _measured(catalog: DataCatalog) -> Mapping[str, float]:
    """Return how long each node took when it last ran in this workspace."""
    durations = catalog.load(RUN_LOG)["durations"] if RUN_LOG in catalog else {}
    return {name: each for name, each in durations.items() if isinstance(each, int | float)}


def _is_stage(node: Node, catalog: DataCatalog) -> bool:
    fills_a_store = any(name.endswith(STORES) for name in node.inputs)
    return fills_a_store or any(location(catalog, name) is not None for name in node.outputs)


def _shortened(name: str) -> str:
    return name if len(name) <= MAX_NAME_CHARACTERS else f"{name[: MAX_NAME_CHARACTERS - 1]}…"


def shown_table(table: pd.DataFrame) -> str:
    """Write the most important columns of a table."""
    columns = [name for name in SHOWN_COLUMNS if name in table and table[name].notna().any()]
    measures = [name for name in columns if name != "model"]
    table = table[table[measures].notna().any(axis=1)]  # some controls have none of these
    shown = table[columns].rename(columns=SHOWN_COLUMNS)
    shown["model"] = [_shortened(str(name)) for name in shown["model"]]
    if "chosen" in table:
        shown[""] = ["← chosen" if chosen else "" for chosen in table["chosen"]]
    text: str = shown.to_string(index=False, na_rep="–", float_format="{:.3f}".format)
    return text
