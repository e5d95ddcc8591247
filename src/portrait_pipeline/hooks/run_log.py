"""Records the commands that made the results of a workspace, and the duration of each node."""

import logging
import time
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline.node import Node

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.hooks.commands import command_of
from portrait_pipeline.hooks.processes import is_rank_zero
from portrait_pipeline.hooks.saved_outputs import SavedOutputs

logger = logging.getLogger(__name__)

RUN_LOG = "run_log"


class RunLogHook:
    """Keeps the commands that made the results of a workspace, and how long each node took.

    A run that makes nothing leaves nothing: the command is kept with its first result.
    """

    def __init__(self) -> None:
        self._command: dict[str, str] = {}
        self._started: dict[str, float] = {}
        self._catalog: DataCatalog | None = None
        self._outputs = SavedOutputs()
        self._is_lost = False

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Remember the command."""
        command, name = command_of(run_params)
        self._command, self._catalog = {name: command}, catalog

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Remember when the node started."""
        self._outputs.expect(node)
        self._started[node.name] = time.monotonic()

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Keep the node's duration, and the command that ran it, once its results are saved."""
        if not self._outputs.are_complete(node, dataset_name):
            return
        seconds = time.monotonic() - self._started.pop(node.name)
        if is_rank_zero():
            self._keep({"commands": self._command, "durations": {node.name: round(seconds, 2)}})

    def _keep(self, entries: dict[str, Any]) -> None:
        """Add to the log; a run whose log cannot be written goes on without it."""
        if self._catalog is None or self._is_lost:
            return
        try:
            self._catalog[RUN_LOG].save(entries)
        except (DatasetError, PortraitPipelineError, OSError) as error:
            self._is_lost = True
            logger.warning(
                "the run log, from which the report takes commands and durations, cannot be"
                " written (%s); the run goes on without it",
                error.__cause__ or error,
            )
