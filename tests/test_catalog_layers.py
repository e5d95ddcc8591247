"""The layers that Kedro-Viz draws: every pipeline has them, in the order of their numbers."""

from pathlib import Path
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog
from kedro_viz.data_access.managers import DataAccessManager

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


@pytest.fixture(scope="module")
def shown(catalog: DataCatalog) -> DataAccessManager:
    """What Kedro-Viz knows, once it has made a box of each namespace."""
    manager = DataAccessManager()
    manager.add_catalog(catalog, PIPELINES)
    manager.add_pipelines(PIPELINES)
    for name in PIPELINES:
        manager.create_modular_pipelines_tree_for_registered_pipeline(name)
    return manager


@pytest.mark.parametrize("name", PIPELINES)
def test_the_layers_are_drawn_in_the_order_of_the_data(
    name: str, catalog: DataCatalog, shown: DataAccessManager
) -> None:
    """Law: none is left out, and the numbers rise, boxes closed; where circular, none is drawn."""
    there = {layer_of(dataset, catalog) for dataset in PIPELINES[name].datasets()} - {None}
    drawn = shown.get_sorted_layers_for_registered_pipeline(name)
    assert [layer for layer in drawn if layer in there] == sorted(map(str, there))
    assert there


def test_the_first_view_is_the_parts_of_the_pipeline(shown: DataAccessManager) -> None:
    """Everything but the choice of λ_p lies in one of a few boxes, in which the nodes are found."""
    tree = shown.create_modular_pipelines_tree_for_registered_pipeline("__default__")
    children = tree["__root__"].children
    boxes = {child.id for child in children if child.type == "modularPipeline"}
    tasks = [child for child in children if child.type == "task"]
    parts = {"ingestion", "preparation", "tuning", "evaluation", "reporting"}
    assert boxes == parts | {"baseline", "proposed"}
    assert len(tasks) == 1
