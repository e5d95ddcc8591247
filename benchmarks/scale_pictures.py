"""Measure how much memory each node of a sharded ingestion takes for a million pictures.

    python -m benchmarks.scale_pictures                     10,000 and 1,000,000 pictures
    python -m benchmarks.scale_pictures --pictures 10000 50000
    python -m benchmarks.scale_pictures --first-shards  minutes instead of an hour

The pictures are names: a stub stands in for reading and searching them, and draws what it would
have found. All else is the pipeline's own, in shards of 10,000 files: tables, stores, audits,
decisions, merging, and crops of 8 px. People and nearly equal pictures are not looked for. Each
node runs in a process of its own that loads its inputs and saves its outputs, as a worker of a
cluster does, and whose peak memory counts. Crops are made of one shard of each set; the others get
sparse files, so that the whole sets are joined. With `--first-shards` the other shards are not
searched and audited either: they get the rows of the first over and over, with hashes of their own,
so that the nodes that have all shards have as much as ever.
"""

import argparse
import hashlib
import json
import multiprocessing
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args
from unittest.mock import patch

import numpy as np
import pandas as pd
from kedro.framework.hooks.manager import _NullPluginManager
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node
from kedro.runner import Task
from kedro_datasets.json import JSONDataset
from kedro_datasets.pickle import PickleDataset

from benchmarks.ingestion_memory import AUDIT, FACES, SPLITS
from portrait_pipeline.datasets.detection_journal import DetectionJournalDataset
from portrait_pipeline.datasets.face_set import FaceSetDataset
from portrait_pipeline.datasets.table import StoredTableDataset, TableDataset
from portrait_pipeline.faces import lazy, survey
from portrait_pipeline.faces.detection import Detection
from portrait_pipeline.faces.record import DetectionStore, PictureRecord, record_key
from portrait_pipeline.images import FACE_INDEX, PACKED_FACES
from portrait_pipeline.parameters import (
    Domain,
    FaceParameters,
    PersonParameters,
    PictureSourceParameters,
)
from portrait_pipeline.pipelines.ingestion import create_pipeline, nodes
from portrait_pipeline.process_resources import peak_memory_mb

FILES_A_SHARD = 10_000
SIZE_PX = 8
EDGE_PX = 400
GIVEN: Mapping[str, Any] = {
    "photos": PictureSourceParameters(source="folder", folder="stub"),
    "faces": FACES.model_copy(update={"crop_size_px": SIZE_PX}),
    "audit": AUDIT.model_copy(update={"near_duplicate_distance_bits": 0}),
    "splits": SPLITS,
    "persons": PersonParameters(max_distance=None, max_photos=1),
}
SHARD = re.compile(r"(photo|painting)_(\d{4})")


def survey_files(
    files: Sequence[str], _finder: object, store: DetectionStore, faces: FaceParameters
) -> list[PictureRecord]:
    """Draw what would have been found in each file, from its name, and keep it."""
    records = [_record(file) for file in files]
    store.put({record_key(each.content_hash, faces): each for each in records})
    return records


def _record(file: str) -> PictureRecord:
    content = hashlib.sha256(file.encode()).hexdigest()
    draw = np.random.default_rng(int(content[:15], 16))
    box = np.array([100.0, 100.0, 300.0, 300.0]) + draw.uniform(-50, 50)
    face = Detection.of_arrays(box, draw.uniform(100, 300, (5, 2)), draw.uniform(0.9, 1.0))
    values = draw.uniform(0.1, 1.0, 3)
    return PictureRecord(content, None, EDGE_PX, EDGE_PX, content[:16], *values, face)


def make_crop(_set: lazy.LazyFaceSet, _crop: lazy.Crop) -> np.ndarray:
    """Be a crop."""
    return np.zeros((SIZE_PX, SIZE_PX, 3), np.uint8)


def catalog_of(root: Path, num_shards: int) -> DataCatalog:
    """Return the catalog in which everything that nodes hand on lies in files."""
    datasets: dict[str, Any] = {
        f"params:{name}": MemoryDataset(value, copy_mode="assign") for name, value in GIVEN.items()
    }
    datasets["embedding_store"] = MemoryDataset("none")
    for name in ("photo_sources", "painting_sources", "splits", "ingestion_audit"):
        datasets[name] = TableDataset(filepath=str(root / f"{name}.csv"))
    datasets["ingestion_summary"] = JSONDataset(filepath=str(root / "summary.json"))
    for name in ("photo_faces", "painting_faces", "twin_faces"):
        datasets[name] = FaceSetDataset(path=str(root / name))
    shards = [f"{each}_{n:04d}" for each in get_args(Domain) for n in range(num_shards)]
    for name in shards:
        datasets[f"{name}_detections"] = DetectionJournalDataset(
            filepath=str(root / f"{name}.jsonl")
        )
        datasets[f"{name}_faces"] = FaceSetDataset(path=str(root / "shards" / name))
        for kind in ("face_audit", "audit", "splits"):
            file = str(root / "tables" / f"{name}_{kind}.csv")
            datasets[f"{name}_{kind}"] = StoredTableDataset(filepath=file)
    for name in create_pipeline(num_shards).datasets() - set(datasets):
        datasets[name] = PickleDataset(filepath=str(root / f"{name}.pickle"))
    return DataCatalog(datasets)


def measure(count: int, root: Path, first_shards: bool) -> pd.DataFrame:
    """Run the ingestion of so many pictures; return seconds and peak memory by kind of node."""
    num_shards = max(2, count // (2 * FILES_A_SHARD))
    catalog = catalog_of(root, num_shards)
    for domain in get_args(Domain):
        _in_a_process(_save_sources, catalog, domain, count // 2)
    rows = []
    for node in create_pipeline(num_shards).nodes:
        kind, stand_in = SHARD.sub(r"\1", node.name), _stand_in(node, first_shards)
        if stand_in is not None:
            _in_a_process(stand_in, catalog)
        elif not kind.startswith("fetch"):
            rows.append((kind, *_in_a_process(_run, catalog, node)))
    table = pd.DataFrame(rows, columns=["node", "seconds", "MB"]).groupby("node", sort=False)
    return table.agg({"seconds": "sum", "MB": "max"})


def _stand_in(node: Node, first_shards: bool) -> Callable[[DataCatalog], None] | None:
    """Return what is done in place of a node of a shard; None where the node itself runs."""
    shard, (kind, *_) = SHARD.search(node.name), node.name.split("_")
    if shard is None or shard[2] == "0000":
        return None
    works = {"crop": _sparse_shard}
    if first_shards:
        works |= {"detect": _nothing, "audit": _keys_of_first, "settle": _tables_of_first}
    return partial(works[kind], shard=shard[0]) if kind in works else None


def _in_a_process(work: Callable[..., None], *arguments: Any) -> tuple[float, float]:
    """Do something in a process of its own; return its seconds and its peak memory in MB."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)

    def be_measured() -> None:
        began = time.perf_counter()
        work(*arguments)
        theirs.send((time.perf_counter() - began, peak_memory_mb()))

    process = context.Process(target=be_measured)
    process.start()
    theirs.close()
    answer: tuple[float, float] = ours.recv()
    process.join()
    return answer


def _run(catalog: DataCatalog, node: Node) -> None:
    with (
        patch.object(nodes, "FaceDetector", lambda _: None),
        patch.object(survey, "_survey_files", survey_files),
        patch.object(lazy.LazyFaceSet, "_make_one", make_crop),
    ):
        manager: Any = _NullPluginManager()
        Task(node, catalog, is_async=False, hook_manager=manager).execute()


def _save_sources(catalog: DataCatalog, domain: Domain, count: int) -> None:
    names = [f"{number // 1000:05d}/{domain}_{number:08d}.jpg" for number in range(count)]
    paths = [f"/shared/pictures/{domain}/{name}" for name in names]
    table = pd.DataFrame({"name": names, "path": paths, "twin_path": pd.NA}, dtype="string")
    catalog[f"{domain}_sources"].save(table)


def _nothing(catalog: DataCatalog, shard: str) -> None:
    """Search nothing: what is found is drawn with the keys."""


def _keys_of_first(catalog: DataCatalog, shard: str) -> None:
    """Give the files of a shard the keys of the first shard, with hashes of their own."""
    names = catalog.load(f"{shard}_sources")["name"]
    draw = np.random.default_rng(int(hashlib.sha256(shard.encode()).hexdigest()[:8], 16))
    keys = _repeated(catalog.load(SHARD.sub(r"\1_0000_keys", shard)), len(names))
    words = draw.integers(0, 2**64, (3, len(names)), dtype=np.uint64)
    hashes = dict(zip(("perceptual_word", "content_high", "content_low"), words, strict=True))
    keys = keys.assign(name=names, rank=draw.uniform(size=len(names)), **hashes)
    catalog.save(f"{shard}_keys", keys)


def _tables_of_first(catalog: DataCatalog, shard: str) -> None:
    """Give a shard the audit and the splits of the first, with as many rows as it has itself."""
    decisions = catalog.load(f"{shard}_decisions")
    counts = {"audit": len(decisions), "splits": int(decisions["split"].notna().sum())}
    for kind, count in counts.items():
        table = catalog.load(SHARD.sub(rf"\1_0000_{kind}", shard)).read()
        catalog.save(f"{shard}_{kind}", _repeated(table, count))


def _repeated(table: pd.DataFrame, count: int) -> pd.DataFrame:
    return table.take(np.arange(count) % len(table)).reset_index(drop=True)


def _sparse_shard(catalog: DataCatalog, shard: str) -> None:
    """Put an index of the shard's names, and pixels without content, where its crops would be."""
    is_used = catalog.load(f"{shard}_decisions")["split"].notna()
    names = catalog.load(f"{shard}_sources").loc[is_used, "name"].tolist()
    folder = Path(catalog[f"{shard}_faces"]._describe()["folder"])
    folder.mkdir(parents=True)
    (folder / FACE_INDEX).write_text(json.dumps({"names": names, "files": names}))
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(names), SIZE_PX, SIZE_PX, 3)}
    with (folder / PACKED_FACES).open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + len(names) * SIZE_PX * SIZE_PX * 3)


def main() -> None:
    """Measure each number of pictures, and print what the last needs above the first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--pictures", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--first-shards", action="store_true")
    options, tables = parser.parse_args(), {}
    for count in options.pictures:
        with tempfile.TemporaryDirectory(prefix="scale_pictures_") as scratch:
            tables[f"{count} pictures"] = measure(count, Path(scratch), options.first_shards)
    table = pd.concat(tables, axis=1)
    table["MB above the first", ""] = table.iloc[:, -1] - table.iloc[:, 1]
    print(table.round(1).to_string())


if __name__ == "__main__":
    main()
