"""Laws of an ingestion in shards: whatever their number, every file is that of one search."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog, DatasetError, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner
from kedro_datasets.json import JSONDataset
from pydantic import BaseModel
from support.ingestion import AUDIT, FACES, SPLITS, MemoryStore, crops_of, face_at, tables_of

from portrait_pipeline.datasets.face_set import FaceSetDataset
from portrait_pipeline.datasets.table import StoredTableDataset, TableDataset
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.columns import survey_table
from portrait_pipeline.faces.lazy import Crop, LazyFaceSet
from portrait_pipeline.faces.record import Fault, PictureRecord, without_picture
from portrait_pipeline.file_names import name_as_text
from portrait_pipeline.hooks.store import register_resolvers
from portrait_pipeline.parameters import PersonParameters, PictureSourceParameters
from portrait_pipeline.pipelines.ingestion import create_pipeline, nodes
from portrait_pipeline.settings import CONFIG_LOADER_ARGS
from portrait_pipeline.sources.files import picture_table

ROOT = Path(__file__).resolve().parents[3]
NUM_PICTURES = 24
SIZE_PX = 8
GIVEN: dict[str, BaseModel] = {
    "photos": PictureSourceParameters(source="folder", folder="stub"),
    "faces": FACES.model_copy(update={"crop_size_px": SIZE_PX, "fit_in_picture": False}),
    "audit": AUDIT,
    "splits": SPLITS,
    "persons": PersonParameters(max_distance=None, max_photos=1000),
}


def record(path: str) -> PictureRecord:
    """What would be found: some pictures are copies, have equal sizes, no face, or are broken."""
    domain, number = path.split("/", maxsplit=1)[0], int(path.split("/")[1])
    if number == 5:
        return without_picture("broken", "truncated")
    picture = {6: 2, 7: 2, 13: 1}.get(number, number)  # copies, over shards and over both sets
    draw = np.random.default_rng(picture + 100 * (domain == "photo" and picture > 2))
    word = int(draw.integers(0, 2**63)) ^ (0b11 if number == 7 else 0)
    width = 300 if number in (7, 13) else 200  # of 2 and 6 the name decides
    content = f"{picture}" if number != 7 else "nearly the same"
    is_faceless = number in (8, 9)
    fault: Fault | None = "no face" if is_faceless else None
    face = None if is_faceless else face_at(20 if number % 4 else -15, 20, 60, number)
    values: Any = (*draw.uniform(0, 1, 2), 0.001 if number == 10 else 0.1 + draw.uniform())
    return PictureRecord(content, fault, width, 160, f"{word:016x}", *values, face)


def sources(domain: str, count: int) -> pd.DataFrame:
    """List files; both sets have the same names, some of which are awkward."""
    awkward = {3: 'new\nline, "quoted"', 4: "NA", 11: "Icon\r", 12: "é"}
    rows = [
        {
            "name": name_as_text(awkward.get(number, f"{number * 7 % 10}/{number}.jpg")),
            "path": f"{domain}/{number}",
            "twin_path": f"twin/{number}" if domain == "photo" and number % 3 else None,
            "artist": 'A. B., "C"\nD' if number % 2 else None,
        }
        for number in range(count)
    ]
    return picture_table(rows)


@pytest.fixture(autouse=True)
def stubs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read: what is in a picture follows from its path."""

    def survey(paths: Sequence[str], *_: object) -> list[PictureRecord]:
        return [record(path) for path in paths]

    def make(self: LazyFaceSet, crop: Crop) -> np.ndarray:
        value = int(abs(crop.transform.angle_degrees) * 10 + len(crop.path)) % 256
        return np.full((SIZE_PX, SIZE_PX, 3), value, np.uint8)

    def describe(photos: LazyFaceSet) -> np.ndarray:
        return np.array([[int(crop.path.split("/")[1]) // 3] for crop in photos.crops.values()])

    monkeypatch.setattr(nodes, "survey_pictures", survey)
    monkeypatch.setattr(nodes, "FaceDetector", lambda _: None)
    monkeypatch.setattr(nodes, "describe_with_dlib", lambda _: describe)
    monkeypatch.setattr(LazyFaceSet, "_make_one", make)


def ingest(root: Path, num_shards: int, counts: Sequence[int], **given: BaseModel) -> DataCatalog:
    """Ingest so many photos and paintings; everything lies in files, as `conf/base` has it."""
    pipeline = without_fetching(create_pipeline(num_shards))
    values: dict[str, Any] = {f"params:{name}": each for name, each in {**GIVEN, **given}.items()}
    values |= {name: MemoryStore() for name in pipeline.inputs() if "detection" in name}
    datasets: dict[str, Any] = {
        name: MemoryDataset(value, copy_mode="assign")
        for name, value in {**values, "embedding_store": "none"}.items()
    }
    for name in pipeline.datasets() - set(datasets):
        if name.endswith("_faces"):
            datasets[name] = FaceSetDataset(path=str(root / name))
        elif name in ("photo_sources", "painting_sources", "splits", "ingestion_audit"):
            datasets[name] = TableDataset(filepath=str(root / f"{name}.csv"))
        elif name.endswith(("_audit", "_splits")) and num_shards > 1:
            datasets[name] = StoredTableDataset(filepath=str(root / "shards" / f"{name}.csv"))
    datasets["ingestion_summary"] = JSONDataset(filepath=str(root / "ingestion_summary.json"))
    catalog = DataCatalog(datasets)
    for domain, count in zip(("photo", "painting"), counts, strict=True):
        catalog.save(f"{domain}_sources", sources(domain, count))
    SequentialRunner().run(pipeline, catalog)
    return catalog


def without_fetching(pipeline: Pipeline) -> Pipeline:
    return Pipeline([node for node in pipeline.nodes if not node.name.startswith("fetch")])


CENTRE = GIVEN["faces"].model_copy(update={"no_face": "centre"})
CASES: dict[str, tuple[tuple[int, ...], tuple[int, int], dict[str, BaseModel]]] = {
    "exact splits": ((2, 3, 7), (NUM_PICTURES, NUM_PICTURES), {}),
    "copies stay": (
        (3,),
        (NUM_PICTURES, NUM_PICTURES),
        {"audit": AUDIT.model_copy(update={"drop_duplicates": False})},
    ),
    "people": (
        (2,),
        (NUM_PICTURES, NUM_PICTURES),
        {"persons": PersonParameters(max_distance=0.5, max_photos=1000), "faces": CENTRE},
    ),
    "fewer files than shards": (
        (7,),
        (5, 3),
        {"splits": SPLITS.model_copy(update={"split": "proportional"})},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_file_is_that_of_one_search(case: str, tmp_path: Path) -> None:
    """Law: tables, crops and twins are byte for byte the same, however many shards there are."""
    numbers, counts, given = CASES[case]
    ingest(tmp_path / "1", 1, counts, **given)
    whole = tables_of(tmp_path / "1")
    assert b'"duplicate"' in whole["ingestion_audit.csv"] or case.startswith(("copies", "fewer"))
    assert json.loads(whole["ingestion_summary.json"])["photo"]["reflected_share"] > 0
    for num_shards in numbers:
        root = tmp_path / str(num_shards)
        ingest(root, num_shards, counts, **given)
        assert tables_of(root) == whole
        for domain in ("photo", "painting"):
            assert crops_of(root, domain) == crops_of(tmp_path / "1", domain)
        for file in ("index.json", "faces.npy"):
            twins = Path("twin_faces") / file
            assert (root / twins).read_bytes() == (tmp_path / "1" / twins).read_bytes()


@pytest.mark.parametrize(
    "given",
    [
        {"faces": FACES.model_copy(update={"no_face": "fail"})},
        {"splits": SPLITS.model_copy(update={"num_train": 1000})},
    ],
)
def test_what_is_refused_is_refused_in_the_same_words(
    given: dict[str, BaseModel], tmp_path: Path
) -> None:
    """Law: the sentence counts all files, not those of a shard, and names the first of them."""
    sentences = set()
    for num_shards in (1, 3):
        with pytest.raises((PortraitPipelineError, DatasetError)) as error:
            ingest(tmp_path / str(num_shards), num_shards, (NUM_PICTURES, NUM_PICTURES), **given)
        sentences.add(str(error.value))
    assert len(sentences) == 1


def test_what_goes_through_one_node_is_small() -> None:
    """Law: of a file with names of 20 letters it is at most 120 bytes, a quarter of its row."""
    found = [record(f"photo/{number}") for number in range(1000)]
    listed = sources("photo", 1000).assign(name=[f"{number:020}" for number in range(1000)])
    _, keys = nodes.audit_shard(survey_table(listed, "photo", found), FACES, AUDIT, SPLITS)
    order = np.zeros(1000, dtype=np.uint16)
    _, empty = nodes.audit_shard(survey_table(listed[:0], "painting", []), FACES, AUDIT, SPLITS)
    decisions = nodes.find_copies(order, order[:0], FACES, AUDIT, keys, empty)
    for table in (keys, decisions):
        assert table.memory_usage(index=False, deep=True).sum() < 120 * 1000


def test_the_catalog_reads_the_tables_of_shards_when_they_are_asked_for() -> None:
    """Law: a node that has many of them loads none; a whole audit is loaded as a table."""
    register_resolvers(ROOT)
    loader = OmegaConfigLoader(conf_source=str(ROOT / "conf"), **CONFIG_LOADER_ARGS)
    catalog = DataCatalog.from_config(loader["catalog"])
    for name in ("photo_0007_face_audit", "painting_0000_audit", "photo_0031_splits"):
        kind = catalog.get(name)._config["type"]  # type: ignore[union-attr]
        assert kind.endswith("StoredTableDataset")
    assert "face_audit" not in catalog
    assert catalog.get("ingestion_audit")._config["type"].endswith("table.TableDataset")  # type: ignore[union-attr]
