"""Measure what RayRunner costs, and how a study and an ingestion spread over workers.

    python -m benchmarks.scale                       all parts: ten minutes on two quiet cores
    python -m benchmarks.scale overhead stubs        some of them
    python -m benchmarks.scale stubs --workers 1 2 4 --seconds 1
    python -m benchmarks.scale ingestion --folders PHOTOS PAINTINGS

- `overhead`: what a command of one node without work takes on a warm cluster, and what each further
  node adds, in a chain and side by side.
- `stubs`: nodes that sleep, on 1 to 16 worker processes; for more workers a model from the measured
  overhead, which is called so.
- `study`: 8 equal small trainings, each with one thread, by a Ray that is pinned to one core and by
  one that is pinned to two, with a worker for each core.
- `ingestion`: files per second by Kedro's own runner and by RayRunner in two shards of each set.

Every cluster is one of this machine. `python -m benchmarks.scale_pictures` measures the memory of
the ingestion.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro_datasets.json import JSONDataset

from benchmarks.ingestion_memory import AUDIT, FACES, FOLDERS, SPLITS
from portrait_pipeline.cyclegan.checkpoint_files import FileCheckpointStore
from portrait_pipeline.cyclegan.data import TrainingData
from portrait_pipeline.cyclegan.run_files import FileTracker
from portrait_pipeline.cyclegan.services import Services
from portrait_pipeline.cyclegan.train import train_cyclegan
from portrait_pipeline.datasets.detection_journal import DetectionJournalDataset
from portrait_pipeline.datasets.face_set import FaceSetDataset
from portrait_pipeline.datasets.folder import FolderDataset
from portrait_pipeline.datasets.table import TableDataset
from portrait_pipeline.images import FaceSet
from portrait_pipeline.parameters import (
    PersonParameters,
    PictureSourceParameters,
    SampleParameters,
    TrainingParameters,
)
from portrait_pipeline.pipelines.ingestion import create_pipeline
from portrait_pipeline.runners import RayRunner
from portrait_pipeline.runners.cluster import import_ray

BASE_TRAINING = Path(__file__).resolve().parents[1] / "conf/base/parameters_training.yml"
SIZE_PX = 32
SMALL = {
    "image_size_px": SIZE_PX,
    "num_residual_blocks": 3,
    "num_generator_filters": 16,
    "num_discriminator_filters": 16,
    "num_discriminator_layers": 2,
    "num_epochs": 4,
    "num_validation_pictures": 0,
    "lambda_perceptual": 0.0,
    "teacher": "dlib",
    "selection_metric": None,
    "resume": False,
    "allow_cpu": True,
    "devices": 1,
}
"""What the trainings of the study have unlike `conf/base`."""
NUM_TRAININGS = 8
NODES_PER_WORKER = 5
NUM_EMPTY_NODES = 40
MODEL_OF_WORKERS = (32, 100, 320, 1000)
NUM_SHARDS = 2
SECONDS_TO_MEET = 300.0


def sleep(seconds: float) -> float:
    """Be a node that only takes time."""
    time.sleep(seconds)
    return seconds


def train(seed: int) -> int:
    """Be a small training on one core; returns its number of steps."""
    torch.set_num_threads(1)
    noise = np.random.default_rng(seed).integers(0, 256, (40, SIZE_PX, SIZE_PX, 3), np.uint8)
    faces = FaceSet(tuple(f"{index}.png" for index in range(len(noise))), noise)
    base = yaml.safe_load(BASE_TRAINING.read_text(encoding="utf-8"))["training"]
    settings = TrainingParameters(**(base | SMALL | {"seed": seed}))
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        services = Services(FileTracker(folder), FileCheckpointStore(folder / "states", False))
        checkpoint = train_cyclegan(
            TrainingData(faces, faces), settings, services, model_name=f"m{seed}", preparation={}
        )
    return int(checkpoint["step"])


def meet(folder: str, count: int) -> int:
    """Be a node that ends once as many processes as there are workers run it."""
    place = Path(folder)
    (place / str(os.getpid())).touch()
    deadline = time.monotonic() + SECONDS_TO_MEET
    while len(list(place.iterdir())) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{count} workers have not started in {SECONDS_TO_MEET:.0f} s")
        time.sleep(0.1)
    return count


@contextmanager
def warm_cluster(workers: int) -> Iterator[None]:
    """Start a Ray of so many workers, and their processes."""
    ray = import_ray()
    ray.init("local", num_cpus=workers, include_dashboard=False, log_to_driver=False)
    try:
        with TemporaryDirectory() as folder:
            run(
                [
                    Node(
                        meet, ["in_folder", "in_workers"], f"out_{i}", name=f"meet_{i}", tags="stub"
                    )
                    for i in range(workers)
                ],
                folder=folder,
                workers=workers,
            )
        yield
    finally:
        ray.shutdown()


def run(nodes: Sequence[Node], **inputs: Any) -> float:
    """Return the seconds that RayRunner takes for nodes, each a task of its own."""
    catalog = DataCatalog({f"in_{name}": MemoryDataset(each) for name, each in inputs.items()})
    began = time.perf_counter()
    RayRunner(threads=1).run(Pipeline(nodes), catalog, _create_hook_manager())
    return time.perf_counter() - began


def side_by_side(func: Callable[[Any], Any], value: Any, count: int) -> float:
    """Return the seconds for nodes that all have their inputs."""
    values = {str(index): value if value is not None else index for index in range(count)}
    nodes = [Node(func, f"in_{i}", f"out_{i}", name=f"node_{i}", tags="stub") for i in values]
    return run(nodes, **values)


def measure_overhead() -> pd.DataFrame:
    """Time a command of one node without work, and what each further one adds."""
    names = ["in_0", *(f"d{index}" for index in range(1, NUM_EMPTY_NODES + 1))]
    chain = [
        Node(sleep, names[i], names[i + 1], name=f"node_{i}", tags="stub")
        for i in range(NUM_EMPTY_NODES)
    ]
    with warm_cluster(2):
        alone = side_by_side(sleep, 0.0, 1)
        further = {
            "each further node, in a chain": run(chain, **{"0": 0.0}),
            "each further node, side by side": side_by_side(sleep, 0.0, NUM_EMPTY_NODES),
        }
    rows = [("a command of one node", 1000 * alone)]
    rows += [
        (name, 1000 * (each - alone) / (NUM_EMPTY_NODES - 1)) for name, each in further.items()
    ]
    return pd.DataFrame(rows, columns=["nodes without work, 2 workers", "ms"])


def measure_stubs(workers: Sequence[int], seconds: float) -> pd.DataFrame:
    """Time stub nodes on clusters of 1 to 16 workers.

    `overhead_ms` is what a node adds to the command beyond its sleep: a command of one node, which
    starts in the same time, is taken off.
    """
    rows = []
    for count in workers:
        num_nodes = NODES_PER_WORKER * count
        with warm_cluster(count):
            side_by_side(sleep, seconds, num_nodes)  # Ray starts a few processes more
            alone = side_by_side(sleep, seconds, 1)
            took = side_by_side(sleep, seconds, num_nodes)
        overhead = (took - alone - (NODES_PER_WORKER - 1) * seconds) / (num_nodes - 1)
        rows.append((count, took, NODES_PER_WORKER * seconds / took, 1000 * overhead))
    return pd.DataFrame(rows, columns=["workers", "seconds", "efficiency", "overhead_ms"])


def model_of(stubs: pd.DataFrame, node_seconds: float) -> pd.DataFrame:
    """Return the efficiency that the command allows, which handles the nodes in turn.

    Each takes the overhead of the largest cluster that was measured.
    """
    overhead = max(stubs["overhead_ms"].iloc[-1], 1.0) / 1000
    rows = [(n, min(1.0, node_seconds / n / overhead)) for n in MODEL_OF_WORKERS]
    return pd.DataFrame(rows, columns=["workers", f"efficiency with nodes of {node_seconds:g} s"])


def measure_study() -> pd.DataFrame:
    """Time a study of equal trainings on one worker and on two, each on a core of its own."""
    rows = []
    cores = sorted(os.sched_getaffinity(0))
    for count in (1, 2):
        os.sched_setaffinity(0, cores[:count])  # all that Ray starts is pinned with this process
        with warm_cluster(count):
            rows.append((count, side_by_side(train, None, NUM_TRAININGS)))
    os.sched_setaffinity(0, cores)
    table = pd.DataFrame(rows, columns=["workers", "seconds"])
    return table.assign(speedup=table["seconds"][0] / table["seconds"])


def ingestion_of(folders: Sequence[Path], root: Path) -> DataCatalog:
    """Return the catalog of an ingestion whose results lie below `root`."""
    photos, paintings = (PictureSourceParameters(source="folder", folder=str(f)) for f in folders)
    given = {
        "photos": photos,
        "paintings": paintings,
        "sample": SampleParameters(num_photos=1, num_paintings=1, picture_size_px=64, seed=0),
        "faces": FACES,
        "audit": AUDIT,
        "splits": SPLITS,
        "persons": PersonParameters(max_distance=None, max_photos=1),
    }
    datasets: dict[str, Any] = {
        f"params:{name}": MemoryDataset(value, copy_mode="assign") for name, value in given.items()
    }
    datasets["embedding_store"] = MemoryDataset("none")
    for name in ("photo_sources", "painting_sources", "splits", "ingestion_audit"):
        datasets[name] = TableDataset(filepath=str(root / f"{name}.csv"))
    datasets["ingestion_summary"] = JSONDataset(filepath=str(root / "summary.json"))
    for name in ("raw_photos_folder", "raw_paintings_folder"):
        datasets[name] = FolderDataset(path=str(root / name))
    shards = [f"{each}_{n:04d}" for each in ("photo", "painting") for n in range(NUM_SHARDS)]
    for name in ("photo", "painting", "twin", *shards):
        datasets[f"{name}_faces"] = FaceSetDataset(path=str(root / f"{name}_faces"))
    for name in ("detection_store", *(f"{shard}_detections" for shard in shards)):
        datasets[name] = DetectionJournalDataset(filepath=str(root / f"{name}.jsonl"))
    return DataCatalog(datasets)


def measure_ingestion(folders: Sequence[Path]) -> pd.DataFrame:
    """Count files per second by both runners, each after a first ingestion that warms it."""
    count = sum(len(list(folder.iterdir())) for folder in folders)
    runs: list[tuple[str, Any, int]] = [
        ("Kedro's own", SequentialRunner(), 1),
        ("RayRunner", RayRunner(), NUM_SHARDS),
    ]
    rows = []
    with warm_cluster(len(os.sched_getaffinity(0))), TemporaryDirectory() as scratch:
        for name, runner, num_shards in runs:
            for attempt in ("first", "second"):
                catalog = ingestion_of(folders, Path(scratch) / name / attempt)
                began = time.perf_counter()
                runner.run(create_pipeline(num_shards), catalog, _create_hook_manager())
                seconds = time.perf_counter() - began
            rows.append((name, seconds, count / seconds))
    table = pd.DataFrame(rows, columns=["runner", "seconds", "files/s"])
    return table.assign(ratio=table["files/s"] / table["files/s"][0])


def show_stubs(workers: Sequence[int], seconds: float) -> None:
    """Print what was measured, and the model."""
    table = measure_stubs(workers, seconds)
    print(table.to_string(index=False))
    print("A model, not measured: the command handles the nodes one after the other.")
    for each in (seconds, 60.0, 3600.0):
        print(model_of(table, each).to_string(index=False))


def main() -> None:
    """Measure the parts that are asked for, and print each as it ends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=list(PARTS))
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--seconds", type=float, default=2.0, help="of a stub node")
    parser.add_argument("--folders", type=Path, nargs=2, default=FOLDERS, help="of the ingestion")
    options = parser.parse_args()
    for part in options.parts:
        print(f"\n{part}", flush=True)
        PARTS[part](options)


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "overhead": lambda _: print(measure_overhead().to_string(index=False)),
    "stubs": lambda options: show_stubs(options.workers, options.seconds),
    "study": lambda _: print(measure_study().to_string(index=False)),
    "ingestion": lambda options: print(measure_ingestion(options.folders).to_string(index=False)),
}


if __name__ == "__main__":
    main()
