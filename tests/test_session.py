"""A part of a pipeline runs with what it needs made again, and with nothing else."""

from collections.abc import Mapping
from typing import Any

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import node, pipeline
from kedro_datasets.pandas import CSVDataset

from portrait_pipeline.session import missing_makers


def work(*given: object) -> object:
    """Do nothing."""
    return given


WHOLE = pipeline(
    [
        node(work, "params:size", "crops", name="crop"),
        node(work, ["crops", "params:size"], "data", name="select"),
        node(work, "data", "taught", name="embed"),
        node(work, "taught", "checkpoint", name="train", namespace="model", tags="gpu"),
        node(work, ["checkpoint", "reference"], "portraits", name="translate"),
        node(work, "crops", "reference", name="gather"),
        node(work, "portraits", "scores", name="score"),
    ]
)
STORED = ("crops", "checkpoint", "scores")
CATALOG = DataCatalog(
    {name: CSVDataset(filepath=f"{name}.csv") for name in STORED}
    | {"reference": MemoryDataset(), "params:size": MemoryDataset(1)}
)


@pytest.mark.parametrize(
    ("choice", "added"),
    [
        ({"tags": ["gpu"]}, {"select", "embed"}),
        ({"node_namespaces": ["model"]}, {"select", "embed"}),
        ({"node_names": ["score"]}, {"translate", "gather"}),
        ({"node_names": ["score", "translate"]}, {"gather"}),
        ({"from_nodes": ["translate"]}, {"gather"}),
        ({"node_names": ["crop"]}, set()),
        ({"to_outputs": ["scores"]}, set()),
        ({}, set()),
    ],
)
def test_only_what_is_in_memory_is_made_again(choice: Mapping[str, Any], added: set[str]) -> None:
    """Stored inputs are loaded, whoever made them; a training is never repeated for its model."""
    chosen = WHOLE.filter(**choice)
    assert {made.name for made in missing_makers(chosen, WHOLE, CATALOG)} == added
