"""What the workers tell, turned into Kedro's hooks and into lines on this terminal."""

import logging
from collections.abc import Mapping
from typing import Any

from kedro.io import CatalogProtocol
from kedro.io.core import is_parameter
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.runners.mailbox import Event
from portrait_pipeline.runners.worker import forget_versions

logger = logging.getLogger(__name__)


class HookCaller:
    """Calls Kedro's hooks in this process, once for each node and in the order of the events.

    Parameters are handed to the hooks as with Kedro's own runners. All other data stay on the
    workers: hooks get None for what was saved, and load it from the catalog if they need it.

    Args:
        pipeline: Whose nodes run.
        catalog: The command's.
        hook_manager: Kedro's.
        run_id: Kedro's id of the run.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol[Any, Any],
        hook_manager: Any,
        run_id: str | None,
    ) -> None:
        self._nodes: Mapping[str, Node] = {node.name: node for node in pipeline.nodes}
        self._catalog, self._hook, self._run_id = catalog, hook_manager.hook, run_id
        self._started: set[str] = set()
        self.done: set[str] = set()

    def handle(self, event: Event) -> None:
        """Show a line; call the hooks of a node that starts, or is done, for the first time."""
        if event.kind == "line":
            record = logging.makeLogRecord(dict(event.record or {}))
            logging.getLogger(record.name).handle(record)
        elif event.kind == "started" and event.node not in self._started:
            self._started.add(event.node)
            self._start(self._nodes[event.node])
        elif event.kind == "done" and event.node not in self.done:
            self.done.add(event.node)
            self._finish(self._nodes[event.node])

    def fail(self, node_name: str, error: Exception) -> None:
        """Tell the hooks of a node that failed."""
        node = self._nodes[node_name]
        self._hook.on_node_error(error=error, inputs=self._inputs(node), **self._common(node))

    def _start(self, node: Node) -> None:
        answers = self._hook.before_node_run(inputs=self._inputs(node), **self._common(node))
        if any(answers or ()):
            raise PortraitPipelineError(
                f"a hook changes the inputs of {node.name}, which runs on another host by then;"
                " expected hooks that only look: use SequentialRunner"
            )

    def _finish(self, node: Node) -> None:
        inputs = self._inputs(node)
        self._hook.after_node_run(inputs=inputs, outputs={}, **self._common(node))
        for name in node.outputs:
            forget_versions(self._catalog[name])
            self._hook.before_dataset_saved(dataset_name=name, data=None, node=node)
            self._hook.after_dataset_saved(dataset_name=name, data=None, node=node)

    def _inputs(self, node: Node) -> dict[str, Any]:
        return {name: self._catalog.load(name) for name in node.inputs if is_parameter(name)}

    def _common(self, node: Node) -> dict[str, Any]:
        return {"node": node, "catalog": self._catalog, "is_async": False, "run_id": self._run_id}
