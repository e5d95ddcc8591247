"""The ingestion as a whole: from folders to crops, with nothing lost without a word."""

import inspect
import logging
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from kedro_datasets.json import JSONDataset
from PIL import Image
from pydantic import BaseModel
from support.ingestion import (
    AUDIT,
    FACES,
    SPLITS,
    CentreFinder,
    MemoryStore,
    crops_of,
    noise_pictures,
    sources,
    tables_of,
)

from portrait_pipeline.cyclegan.data import data_hash
from portrait_pipeline.cyclegan.run_files import read_crops
from portrait_pipeline.datasets.embeddings import SqliteEmbeddingStore
from portrait_pipeline.datasets.face_set import FaceSetDataset
from portrait_pipeline.datasets.table import TableDataset
from portrait_pipeline.faces.columns import detection_of, transform_of
from portrait_pipeline.faces.crop import crop_face
from portrait_pipeline.faces.detect import FaceDetector
from portrait_pipeline.faces.detection import overlap
from portrait_pipeline.file_names import name_as_text
from portrait_pipeline.images import FaceSet
from portrait_pipeline.parameters import (
    PersonParameters,
    PictureSourceParameters,
    SampleParameters,
)
from portrait_pipeline.pictures import ReducedPicture, read_picture
from portrait_pipeline.pipelines.ingestion import create_pipeline, nodes
from portrait_pipeline.sample import draw_painting, draw_photo

SHARE = SPLITS.model_copy(update={"split": "proportional"})
ANY_FACES = FACES.model_copy(update={"crop_size_px": 32, "detection_size_px": 128})


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Drawn photos with a copy, an empty file and a blank picture; drawn paintings with a print."""
    root = tmp_path_factory.mktemp("pictures")
    photos, paintings = root / "photos", root / "paintings"
    photos.mkdir()
    paintings.mkdir()
    for index in range(6):
        Image.fromarray(draw_photo(index, 0, 128).photo).save(photos / f"{index}.png")
        Image.fromarray(draw_painting(index, 0, 128)).save(paintings / f"{index}.png")
    (photos / "copy.png").write_bytes((photos / "3.png").read_bytes())
    (photos / "empty.jpg").touch()
    Image.new("RGB", (128, 128), (90, 90, 90)).save(photos / "wall.png")
    Image.open(paintings / "0.png").convert("L").save(paintings / "print.png")
    return photos, paintings


def catalog_of(folders: tuple[Path, Path], root: Path, store: MemoryStore) -> DataCatalog:
    photos, paintings = (
        PictureSourceParameters(source="folder", folder=str(folder)) for folder in folders
    )
    sample = SampleParameters(num_photos=1, num_paintings=1, picture_size_px=64, seed=0)
    given = {
        "params:photos": photos,
        "params:paintings": paintings,
        "params:sample": sample,
        "params:faces": ANY_FACES,
        "params:audit": AUDIT,
        "params:splits": SHARE,
        "params:persons": PersonParameters(max_distance=0.05, max_photos=100),
        "embedding_store": SqliteEmbeddingStore(root / "embeddings.sqlite"),
        "raw_photos_folder": root / "raw_photos",
        "raw_paintings_folder": root / "raw_paintings",
    }
    datasets = {name: MemoryDataset(value, copy_mode="assign") for name, value in given.items()}
    datasets["detection_store"] = MemoryDataset(store, copy_mode="assign")
    for name in ("photo_sources", "painting_sources", "splits", "ingestion_audit"):
        datasets[name] = TableDataset(filepath=str(root / f"{name}.csv"))
    datasets["ingestion_summary"] = JSONDataset(filepath=str(root / "ingestion_summary.json"))
    for name in ("photo_faces", "painting_faces", "twin_faces"):
        datasets[name] = FaceSetDataset(path=str(root / name))
    return DataCatalog(datasets)


@pytest.mark.parametrize("num_shards", [2, 5])
def test_shards_give_the_same_files(
    folders: tuple[Path, Path], tmp_path: Path, num_shards: int
) -> None:
    """Law: tables and crops are byte for byte those of one search, and so is what is trained on."""
    whole, shards = tmp_path / "whole", tmp_path / "shards"
    run(folders, whole, MemoryStore())
    names = [f"{domain}_{n:04d}" for domain in ("photo", "painting") for n in range(num_shards)]
    catalog = catalog_of(folders, shards, MemoryStore())
    for name in names:
        catalog[f"{name}_detections"] = MemoryDataset(MemoryStore(), copy_mode="assign")
        catalog[f"{name}_faces"] = FaceSetDataset(path=str(shards / "face_shards" / name))
    SequentialRunner().run(create_pipeline(num_shards), catalog)
    assert tables_of(shards) == tables_of(whole)
    for domain in ("photo", "painting"):
        assert crops_of(shards, domain) == crops_of(whole, domain)
        assert [path.name for path in (shards / f"{domain}_faces").iterdir()] == ["index.json"]
    assert data_hash(read_crops(shards)) == data_hash(read_crops(whole))
    assert sum(len(catalog.load(f"{name}_detections").records) for name in names) > 0


def run(folders: tuple[Path, Path], root: Path, store: MemoryStore) -> DataCatalog:
    catalog = catalog_of(folders, root, store)
    SequentialRunner().run(create_pipeline(), catalog)
    return catalog


def test_folders_become_audited_split_and_cropped_sets(
    folders: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Every file is a row with its reason; splits and crops hold exactly the kept ones."""
    caplog.set_level(logging.INFO, "portrait_pipeline")
    catalog = run(folders, tmp_path, MemoryStore())
    audit: pd.DataFrame = catalog.load("ingestion_audit")
    reasons = audit.set_index(["domain", "name"])["reason"].dropna().to_dict()
    assert reasons == {
        ("photo", "copy.png"): "duplicate",
        ("photo", "empty.jpg"): "empty",
        ("photo", "wall.png"): "no face",
        ("painting", "print.png"): "nearly one colour",
    }
    splits: pd.DataFrame = catalog.load("splits")
    assert len(splits) == int(audit["kept"].sum()) == 12
    for domain in ("photo", "painting"):
        faces: FaceSet = catalog.load(f"{domain}_faces")
        assert set(faces.names) == set(splits.loc[splits["domain"] == domain, "name"])
        assert faces.pixels.shape == (6, 32, 32, 3)
    assert len(catalog.load("twin_faces")) == 0
    assert catalog.load("ingestion_summary")["photo"]["left_out"] == {
        "duplicate": 1,
        "empty": 1,
        "no face": 1,
    }
    assert "photos: 9 files, 6 faces kept, 3 left out (" in caplog.text
    assert "6 photographs show 6 people" in caplog.text
    assert set(splits.loc[splits["domain"] == "photo", "person"]) == set(range(6))
    assert set(splits.loc[splits["domain"] == "painting", "person"]) == {-1}
    assert "photos: 3 train, 1 validation, 2 test" in caplog.text


def test_a_second_run_detects_and_crops_nothing_anew(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run looks for no face and gives the same audit, splits and pixels."""
    store = MemoryStore()
    first = run(folders, tmp_path, store)
    pixels = np.array(first.load("photo_faces").pixels)
    audit, splits = first.load("ingestion_audit"), first.load("splits")

    def refuse(self: FaceDetector, pictures: list[ReducedPicture]) -> None:
        raise AssertionError("a known picture was searched again")

    monkeypatch.setattr(FaceDetector, "find", refuse)
    second = run(folders, tmp_path, store)
    pd.testing.assert_frame_equal(audit, second.load("ingestion_audit"))
    pd.testing.assert_frame_equal(splits, second.load("splits"))
    assert np.array_equal(second.load("photo_faces").pixels, pixels)


AWKWARD_NAMES = [
    *(b"NA.png", b"null", b"007", b"1e5", b" lead.png", b"trail ", b"a,b.png", b'q"uote.png'),
    *(b"new\nline.png", b"Icon\r", b"a\x1b[2J.png", b"caf\xe9.png", "é.png".encode()),
    *("e\u0301.png".encode(), "中".encode() * 38 + b".png", b"A.png", b"a.png", b"-rf.png"),
]


def test_every_picture_keeps_its_name(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names that look like numbers, gaps, lines or codes go through all tables and into crops."""
    photos = tmp_path / "photos"
    photos.mkdir()
    noise_pictures(tmp_path / "noise", len(AWKWARD_NAMES))
    for name, file in zip(AWKWARD_NAMES, sorted((tmp_path / "noise").iterdir()), strict=True):
        file.rename(os.fsdecode(os.fsencode(photos) + b"/" + name))
    (photos / "link.png").symlink_to(folders[0] / "0.png")
    monkeypatch.setattr(nodes, "FaceDetector", lambda _: CentreFinder())
    catalog = catalog_of((photos, folders[1]), tmp_path, MemoryStore())
    every = SHARE.model_copy(update={"num_train": len(AWKWARD_NAMES)})
    catalog["params:splits"] = MemoryDataset(every, copy_mode="assign")
    SequentialRunner().run(create_pipeline(), catalog)
    audit: pd.DataFrame = catalog.load("ingestion_audit")
    rows = audit[audit["domain"] == "photo"].set_index("name")
    assert len(rows) == len(AWKWARD_NAMES) + 1
    assert rows["reason"].dropna().to_dict() == {"link.png": "link out of the folder"}
    faces: FaceSet = catalog.load("photo_faces")
    assert set(faces.names) == {name_as_text(os.fsdecode(name)) for name in AWKWARD_NAMES}
    splits: pd.DataFrame = catalog.load("splits")
    names = splits.loc[splits["domain"] == "photo", "name"]
    assert sorted(names) == sorted(faces.names)
    assert len(list((tmp_path / "photo_faces").glob("*.png"))) == len(AWKWARD_NAMES)


def test_nodes_are_named_for_their_functions_and_typed() -> None:
    """Node names are function names; every `params:` input is a parameter model."""
    for node in create_pipeline().nodes:
        assert node.name == node.func.__name__
        annotations = inspect.get_annotations(node.func, eval_str=True)
        arguments = inspect.signature(node.func).parameters
        for name, argument in zip(node.inputs, arguments, strict=True):
            if name.startswith("params:"):
                assert issubclass(annotations[argument], BaseModel)
        assert node.func.__doc__


def test_the_inputs_of_nodes_stay_as_they_were(folders: tuple[Path, Path]) -> None:
    """No node changes the tables that it is given."""
    table = sources(sorted(folders[0].iterdir()))
    survey = nodes.detect_photo_faces(table, ANY_FACES, MemoryStore())
    before = survey.copy()
    audit = nodes.audit_faces(survey, survey.iloc[:0], ANY_FACES, AUDIT)
    pd.testing.assert_frame_equal(survey, before)
    before = audit.copy()
    both = pd.concat([audit, audit.assign(domain="painting")], ignore_index=True)
    nodes.split_faces(both, SHARE)
    nodes.crop_photo_faces(audit, ANY_FACES)
    nodes.summarise_ingestion(audit)
    pd.testing.assert_frame_equal(audit, before)


AWKWARD = {
    "broken_data_stream.png": "unreadable",
    "face_cmyk.jpg": "kept",
    "face_exif_orientation6.jpg": "duplicate",
    "face_palette.png": "kept",
    "face_rgba.png": "kept",
    "face_tiny24.png": "too small",
    "face_truncated60pct.jpg": "truncated",
    "hopper_16bit.pgm": "kept",
    "multiface_group.jpg": "kept",
    "noface_1.jpg": "no face",
    "text_not_image.jpg": "not an image",
    "zero_bytes.jpg": "empty",
}


@pytest.fixture(scope="module")
def awkward_survey(shared_pictures: Path) -> pd.DataFrame:
    table = sources(sorted((shared_pictures / "awkward").iterdir()))
    return nodes.detect_photo_faces(table, FACES, MemoryStore())


def test_every_awkward_file_is_a_row_with_the_right_reason(awkward_survey: pd.DataFrame) -> None:
    """Files that real folders hold are kept, or left out for the right reason; nothing raises."""
    audit = nodes.audit_faces(awkward_survey, awkward_survey.iloc[:0], FACES, AUDIT)
    found = dict(zip(audit["name"], audit["reason"].fillna("kept"), strict=True))
    assert found == AWKWARD
    assert nodes.summarise_ingestion(audit)["photo"]["files"] == len(AWKWARD)


def test_awkward_files_give_right_crops(awkward_survey: pd.DataFrame) -> None:
    """Eyes lie level above the mouth, about the middle; a file's colours and turns do not matter.

    The rotated and the CMYK file are one photograph, and so are palette and RGBA (which fades to
    white); the 16-bit picture keeps its range.
    """
    copies_stay = AUDIT.model_copy(update={"drop_duplicates": False})
    audit = nodes.audit_faces(awkward_survey, awkward_survey.iloc[:0], FACES, copies_stay)
    rows = {row["name"]: row for row in audit[audit["kept"]].to_dict("records")}
    crops = {}
    for name, row in rows.items():
        face, square = detection_of(row), transform_of(row)
        assert face is not None
        points = square.to_crop(np.array(face.landmarks), 64) / 64
        eyes, mouth = points[:2], points[3:]
        assert abs(eyes[0, 1] - eyes[1, 1]) < 0.01
        assert eyes[:, 1].max() < mouth[:, 1].min()
        left, top, right, bottom = face.box
        middle = square.to_crop(np.array([[(left + right) / 2, (top + bottom) / 2]]), 64)[0] / 64
        assert np.abs(middle - 0.5).max() < 0.2  # where the face lies at the border
        assert np.abs(points.mean(axis=0) - middle).max() < 0.15
        crops[name] = crop_face(read_picture(row["path"]), square, 64).astype(float)
    rotated, cmyk = crops["face_exif_orientation6.jpg"], crops["face_cmyk.jpg"]
    assert np.abs(rotated - cmyk).mean() < 6.0
    palette, faded = detection_of(rows["face_palette.png"]), detection_of(rows["face_rgba.png"])
    assert palette is not None
    assert faded is not None
    assert overlap(palette, faded) > 0.8
    assert np.ptp(crops["hopper_16bit.pgm"]) > 150
    assert crops["hopper_16bit.pgm"].mean() < 200
