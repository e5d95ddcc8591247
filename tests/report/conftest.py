"""An invented run, and the outputs of the reporting pipeline on it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.invented_run import (
    FACE_SETS,
    Inputs,
    invent_audit,
    invent_faces,
    invent_run,
    invent_scores,
    run_nodes,
)

from portrait_pipeline.images import FaceSet


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """Invent one whole run with a hostile file name among its pictures."""
    return invent_run(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="session")
def outputs(inputs: Inputs) -> dict[str, Any]:
    """Run every node of the pipeline, in order, on the invented run."""
    return run_nodes(inputs.datasets)


@pytest.fixture(scope="session", name="run_nodes")
def run_nodes_fixture() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Hand the tests a function that runs the pipeline on other inputs."""
    return run_nodes


@pytest.fixture
def many(inputs: Inputs) -> dict[str, Any]:
    """Run the pipeline on 3000 pictures and 900 that were left out."""
    names = [f"{index:05d}.jpg" for index in range(3000)]
    path = str(inputs["ingestion_audit"]["path"].iloc[-1])
    left_out = {f"{index}.jpg": (f"reason {index % 9}", path) for index in range(900)}
    faces = {
        name: invent_faces(names[:8], seed, (0.9, 0.7, 0.5)).pixels
        for seed, name in enumerate(FACE_SETS)
    }
    rows = np.arange(3000) % 8
    return run_nodes(
        inputs.but(
            **{name: FaceSet(tuple(names), pixels, rows) for name, pixels in faces.items()},
            baseline_scores=invent_scores(names, 0.1, 1),
            proposed_scores=invent_scores(names, 0.5, 2),
            ingestion_audit=invent_audit(names, left_out),
        )
    )
