"""Laws of an ingestion on a cluster: the tables and crops of one machine, whoever is lost."""

from pathlib import Path
from typing import Any

import pytest
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from kedro_datasets.json import JSONDataset
from PIL import Image
from support.ingestion import AUDIT, FACES, SPLITS, crops_of, tables_of
from support.ray_nodes import DyingJournalDataset

from portrait_pipeline.datasets.detection_journal import DetectionJournalDataset
from portrait_pipeline.datasets.embedding_folder import EmbeddingFolderDataset
from portrait_pipeline.datasets.face_set import FaceSetDataset
from portrait_pipeline.datasets.folder import FolderDataset
from portrait_pipeline.datasets.table import TableDataset
from portrait_pipeline.parameters import (
    PersonParameters,
    PictureSourceParameters,
    SampleParameters,
)
from portrait_pipeline.pipelines.ingestion import create_pipeline
from portrait_pipeline.runners import RayRunner
from portrait_pipeline.sample import draw_painting, draw_photo

NUM_SHARDS = 2
SMALL_FACES = FACES.model_copy(
    update={"crop_size_px": 32, "detection_size_px": 128, "batch_size": 1}
)


def _catalog(pictures: Path, root: Path, **stores: Any) -> DataCatalog:
    photos, paintings = (
        PictureSourceParameters(source="folder", folder=str(pictures / name))
        for name in ("photos", "paintings")
    )
    given = {
        "photos": photos,
        "paintings": paintings,
        "sample": SampleParameters(num_photos=1, num_paintings=1, picture_size_px=64, seed=0),
        "faces": SMALL_FACES,
        "audit": AUDIT,
        "splits": SPLITS.model_copy(update={"split": "proportional"}),
        "persons": PersonParameters(max_distance=None, max_photos=100),
    }
    datasets: dict[str, Any] = {
        f"params:{name}": MemoryDataset(value, copy_mode="assign") for name, value in given.items()
    }
    for name in ("photo_sources", "painting_sources", "splits", "ingestion_audit"):
        datasets[name] = TableDataset(filepath=str(root / f"{name}.csv"))
    for name in ("photo_faces", "painting_faces", "twin_faces"):
        datasets[name] = FaceSetDataset(path=str(root / name))
    for name in ("raw_photos_folder", "raw_paintings_folder"):
        datasets[name] = FolderDataset(path=str(root / name))
    datasets["ingestion_summary"] = JSONDataset(filepath=str(root / "ingestion_summary.json"))
    datasets["embedding_store"] = EmbeddingFolderDataset(path=str(root / "embeddings"))
    return DataCatalog(datasets | stores)


@pytest.mark.slow
def test_shards_whose_workers_are_killed_give_the_same_files(ray: Any, tmp_path: Path) -> None:
    """Law: each worker is killed after its first pictures; what it has kept is not done again."""
    for name in ("photos", "paintings"):
        (tmp_path / name).mkdir()
    for index in range(6):
        photo = Image.fromarray(draw_photo(index, 0, 128).photo)
        photo.save(tmp_path / "photos" / f"{index}.png")
        painting = Image.fromarray(draw_painting(index, 0, 128))
        painting.save(tmp_path / "paintings" / f"{index}.png")
    whole, moved = tmp_path / "whole", tmp_path / "moved"
    plain = DetectionJournalDataset(filepath=str(whole / "detections.jsonl"))
    SequentialRunner().run(create_pipeline(), _catalog(tmp_path, whole, detection_store=plain))
    names = [f"{domain}_{n:04d}" for domain in ("photo", "painting") for n in range(NUM_SHARDS)]
    shards: dict[str, Any] = {}
    for name in names:
        journal = DyingJournalDataset(filepath=str(moved / f"{name}.jsonl"))
        shards[f"{name}_detections"] = journal
        shards[f"{name}_faces"] = FaceSetDataset(path=str(moved / "face_shards" / name))
    RayRunner().run(
        create_pipeline(NUM_SHARDS), _catalog(tmp_path, moved, **shards), _create_hook_manager()
    )
    assert tables_of(moved) == tables_of(whole)
    for domain in ("photo", "painting"):
        assert crops_of(moved, domain) == crops_of(whole, domain)
    assert len(list(moved.glob("*.died"))) == len(names)
    lines = "".join(each.read_text() for each in moved.glob("*.jsonl")).splitlines()
    keys = [line.split(" ")[0] for line in lines]
    assert len(keys) == len(set(keys)) == 12
