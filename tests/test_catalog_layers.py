"""The layers that Kedro-Viz draws: every pipeline has them, in the order of their numbers."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro_viz.services.layers import sort_layers

from portrait_pipeline.hooks.store import register_resolvers
from portrait_pipeline.pipeline_registry import register_pipelines
from portrait_pipeline.settings import CONFIG_LOADER_ARGS

ROOT = Path(__file__).resolve().parents[1]
PIPELINES = register_pipelines()


@pytest.fixture(scope="module")
def catalog() -> DataCatalog:
    """The catalog, patterns included."""
    register_resolvers(ROOT)
    loader = OmegaConfigLoader(conf_source=str(ROOT / "conf"), **CONFIG_LOADER_ARGS)
    return DataCatalog.from_config(loader["catalog"])


def layer_of(name: str, catalog: DataCatalog) -> str | None:
    """Return a dataset's layer as Kedro-Viz reads it; None for a parameter or what is in memory."""
    dataset: Any = None if name.startswith(("params:", "parameters")) else catalog.get(name)
    metadata = getattr(dataset, "metadata", None) or {}
    layer: str | None = metadata.get("kedro-viz", {}).get("layer")
    return layer


def drawn_layers(pipeline: Pipeline, catalog: DataCatalog) -> list[str]:
    """Return the layers in the order of Kedro-Viz, which draws none where they are circular."""
    nodes: dict[str, Any] = {
        name: SimpleNamespace(layer=layer_of(name, catalog)) for name in pipeline.datasets()
    }
    children: dict[str, set[str]] = {name: set() for name in nodes}
    for node in pipeline.nodes:
        nodes[node.name], children[node.name] = SimpleNamespace(), set(node.outputs)
        for name in node.inputs:
            children[name].add(node.name)
    drawn: list[str] = sort_layers(nodes, children)
    return drawn


@pytest.mark.parametrize("name", PIPELINES)
def test_the_layers_are_drawn_in_the_order_of_the_data(name: str, catalog: DataCatalog) -> None:
    """Law: none is left out, and the numbers rise."""
    pipeline = PIPELINES[name]
    there = {layer_of(dataset, catalog) for dataset in pipeline.datasets()} - {None}
    assert drawn_layers(pipeline, catalog) == sorted(map(str, there))
    assert there
