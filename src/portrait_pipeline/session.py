"""A Kedro session that can run a part of a pipeline: what the part needs is made again."""

import logging
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.io import CatalogProtocol, MemoryDataset
from kedro.io.core import is_parameter
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.suggestions import did_you_mean

Catalog = CatalogProtocol[Any, Any]

logger = logging.getLogger(__name__)

# How `KedroSession.run` calls what chooses nodes, and how `Pipeline.filter` does.
SELECTIONS = {
    "tags": "tags",
    "from_nodes": "from_nodes",
    "to_nodes": "to_nodes",
    "node_names": "node_names",
    "from_inputs": "from_inputs",
    "to_outputs": "to_outputs",
    "namespaces": "node_namespaces",
}


class ProjectSession(KedroSession):
    """Runs chosen nodes together with those that make their inputs in memory.

    Kedro refuses `--nodes`, `--tags`, `--namespaces` and `--from-nodes` where an input of the
    chosen nodes is kept in memory only. Here the nodes that make such an input run too.
    """

    _context: KedroContext | None = None

    def load_context(self) -> KedroContext:
        """Return the context of this session, which is made once."""
        if self._context is None:
            self._context = super().load_context()
        return self._context

    def run(self, *given: Any, **options: Any) -> dict[str, Any]:
        """Run a pipeline, or the chosen part of it; takes what `KedroSession.run` takes."""
        self._check_names(options.get("pipeline_names") or [])
        if any(options.get(name) for name in SELECTIONS):
            options = {**options, **self._complete(options)}
        return super().run(*given, **options)

    def _check_names(self, names: Sequence[str]) -> None:
        """Refuse the name of a pipeline that there is not.

        Raises:
            PortraitPipelineError: with the names that look like it, or all that there are.
        """
        if not names:
            return
        self.load_context()  # which pipelines there are depends on the environment
        known = sorted(pipelines)
        for name in names:
            if name not in known:
                meant = did_you_mean(name, known) or f"expected one of {', '.join(known)}"
                raise PortraitPipelineError(f"--pipeline={name} is not a pipeline; {meant}")

    def _complete(self, options: Mapping[str, Any]) -> dict[str, Any]:
        names = options.get("pipeline_names") or ["__default__"]
        pipelines.set_requested(list(names))
        catalog = self.load_context().catalog
        whole = reduce(add, (pipelines[name] for name in names))
        chosen = whole.filter(**{to: options.get(name) for name, to in SELECTIONS.items()})
        added = missing_makers(chosen, whole, catalog)
        if not added:
            return {}
        logger.info("made again in memory: %s", ", ".join(sorted(node.name for node in added)))
        nodes = [node.name for node in (*chosen.nodes, *added)]
        return {**dict.fromkeys(SELECTIONS), "node_names": nodes}


def missing_makers(chosen: Pipeline, whole: Pipeline, catalog: Catalog) -> set[Node]:
    """Find the nodes of the whole pipeline that make what the chosen ones need in memory."""
    makers = {output: node for node in whole.nodes for output in node.outputs}
    present, waiting = set(chosen.nodes), list(chosen.inputs())
    while waiting:
        name = waiting.pop()
        maker = makers.get(name)
        if maker is None or maker in present or _is_stored(name, catalog):
            continue
        present.add(maker)
        waiting += maker.inputs
    return present - set(chosen.nodes)


def _is_stored(name: str, catalog: Catalog) -> bool:
    dataset = catalog.get(name)
    return is_parameter(name) or not (dataset is None or isinstance(dataset, MemoryDataset))
