"""The commands that made the results of a workspace, and how long each node took."""

import time
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline.node import Node

from portrait_pipeline.hooks.commands import command_of
from portrait_pipeline.hooks.processes import is_rank_zero

RUN_LOG = "run_log"


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
            durations = {node.name: round(seconds, 2)}
            catalog[RUN_LOG].save({"commands": self._command, "durations": durations})
