"""Measure what RayRunner costs, and how a study of several models spreads over workers.

    python -m benchmarks.scale                  a node's overhead; stub nodes on 1 to 16 workers
    python -m benchmarks.scale --study          8 small trainings on one worker and on two
    python -m benchmarks.scale --workers 1 2 4 --seconds 1

Every cluster is one of this machine. A stub node sleeps, so that more workers than cores can be
tried; a worker of the study computes with one thread. What is said of more than 16 workers is a
model from the measured overhead, and is called so. Run it with nothing else running.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from portrait_pipeline.cyclegan.checkpoint_files import FileCheckpointStore
from portrait_pipeline.cyclegan.data import TrainingData
from portrait_pipeline.cyclegan.run_files import FileTracker
from portrait_pipeline.cyclegan.services import Services
from portrait_pipeline.cyclegan.train import train_cyclegan
from portrait_pipeline.images import FaceSet
from portrait_pipeline.parameters import TrainingParameters
from portrait_pipeline.runners import RayRunner
from portrait_pipeline.runners.cluster import import_ray

NUM_TRAININGS = 8
NODES_PER_WORKER = 5
MODEL_OF_WORKERS = (32, 100, 320, 1000)
SIZE_PX = 32


def sleep(seconds: float) -> float:
    """Be a node that only takes time."""
    time.sleep(seconds)
    return seconds


def train(seed: int) -> int:
    """Be a small training on one core; returns its number of steps."""
    torch.set_num_threads(1)
    noise = np.random.default_rng(seed).integers(0, 256, (40, SIZE_PX, SIZE_PX, 3), np.uint8)
    faces = FaceSet(tuple(f"{index}.png" for index in range(len(noise))), noise)
    settings = TrainingParameters(
        seed=seed,
        image_size_px=SIZE_PX,
        num_epochs=2,
        lambda_perceptual=0.0,
        num_residual_blocks=3,
        num_generator_filters=16,
        num_discriminator_filters=16,
        num_discriminator_layers=2,
        allow_cpu=True,
        devices=1,
        teacher="dlib",
    )
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        services = Services(FileTracker(folder), FileCheckpointStore(folder / "states", False))
        checkpoint = train_cyclegan(
            TrainingData(faces, faces), settings, services, model_name=f"m{seed}", preparation={}
        )
    return int(checkpoint["step"])


def timed(func: Any, inputs: Sequence[float], **settings: Any) -> float:
    """Return the seconds that RayRunner takes for a node for each input, all ready at once."""
    nodes = [
        Node(func=func, inputs=f"in_{i}", outputs=f"out_{i}", name=f"n{i}", tags="stub")
        for i in range(len(inputs))
    ]
    catalog = DataCatalog({f"in_{i}": MemoryDataset(value) for i, value in enumerate(inputs)})
    began = time.perf_counter()
    RayRunner(**settings).run(Pipeline(nodes), catalog, _create_hook_manager())
    return time.perf_counter() - began


def measure_stubs(ray: Any, workers: Sequence[int], seconds: float) -> pd.DataFrame:
    """Time stub nodes on clusters of 1 to 16 workers."""
    rows = []
    for count in workers:
        ray.init("local", num_cpus=count, include_dashboard=False, log_to_driver=False)
        timed(sleep, [0.0] * count)  # starts the processes
        empty = [0.0] * (NODES_PER_WORKER * count)
        overhead = timed(sleep, empty) / len(empty)
        took = timed(sleep, [seconds] * len(empty))
        ideal = seconds * NODES_PER_WORKER
        rows.append((count, 1000 * overhead, took, ideal / took))
        ray.shutdown()
    return pd.DataFrame(
        rows, columns=["workers", "ms a node without work", "seconds", "efficiency"]
    )


def model_of(overhead_seconds: float, node_seconds: float) -> pd.DataFrame:
    """Return the efficiency that the command allows, which handles the nodes in turn."""
    rows = []
    for workers in MODEL_OF_WORKERS:
        ideal = node_seconds / workers
        rows.append((workers, min(1.0, ideal / max(ideal, overhead_seconds))))
    return pd.DataFrame(rows, columns=["workers", f"efficiency with nodes of {node_seconds:g} s"])


def measure_study(ray: Any) -> pd.DataFrame:
    """Time a study of equal trainings on one worker and on two."""
    rows = []
    for count in (1, 2):
        ray.init("local", num_cpus=count, include_dashboard=False, log_to_driver=False)
        timed(train, list(range(count)), threads=1)  # starts the processes
        rows.append((count, timed(train, list(range(NUM_TRAININGS)), threads=1)))
        ray.shutdown()
    table = pd.DataFrame(rows, columns=["workers", "seconds"])
    return table.assign(speedup=table["seconds"][0] / table["seconds"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--seconds", type=float, default=2.0, help="of a stub node")
    parser.add_argument("--study", action="store_true", help="8 small trainings, and nothing else")
    options = parser.parse_args()
    ray = import_ray()
    if options.study:
        print(measure_study(ray).to_string(index=False))
        return
    table = measure_stubs(ray, options.workers, options.seconds)
    print(table.to_string(index=False))
    overhead = float(table["ms a node without work"].iloc[-1]) / 1000
    print("\nA model, not measured: the command handles the nodes one after the other.")
    for seconds in (options.seconds, 3600.0):
        print(model_of(overhead, seconds).to_string(index=False))


if __name__ == "__main__":
    main()
