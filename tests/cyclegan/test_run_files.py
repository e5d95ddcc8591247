"""A training from files alone, as a machine without Kedro and MLflow runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from support.in_memory import MemoryTracker
from support.tiny_model import PREPARATION

from portrait_pipeline.cyclegan.checkpoint_files import read_checkpoint
from portrait_pipeline.cyclegan.run_files import FileTracker, read_crops, read_log, replay
from portrait_pipeline.cyclegan.train import main
from portrait_pipeline.datasets.checkpoint import CheckpointDataset
from portrait_pipeline.datasets.face_set import FaceSetDataset

BLOCKED = ("kedro", "mlflow", "kedro_mlflow", "kedro_datasets")
WITHOUT_BOTH = f"""
import importlib, pkgutil, runpy, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {BLOCKED}:
            raise ImportError(f"{{name}} is not installed here")

sys.meta_path.insert(0, Blocker())
for package in ("cyclegan", "identity", "metrics"):
    folder = importlib.import_module(f"portrait_pipeline.{{package}}").__path__
    for module in pkgutil.iter_modules(folder, f"portrait_pipeline.{{package}}."):
        if module.name != "portrait_pipeline.cyclegan.train":
            importlib.import_module(module.name)
runpy.run_module("portrait_pipeline.cyclegan.train", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def crops(tmp_path, faces) -> Path:
    """Two photos and two paintings as ingestion writes them, one of each for the tests alone."""
    for seed, name in ((1, "photo_faces"), (2, "painting_faces")):
        FaceSetDataset(path=str(tmp_path / name)).save(faces(3, seed))
    rows = [
        f"{seed}-{row}.png,{domain},{'test' if row == 0 else 'train'}"
        for seed, domain in ((1, "photo"), (2, "painting"))
        for row in range(3)
    ]
    (tmp_path / "splits.csv").write_text("\n".join(["name,domain,split", *rows]) + "\n")
    return tmp_path


@pytest.fixture
def settings(tmp_path, parameters) -> Path:
    """A settings file of one epoch, that is two steps."""
    content = {"model": "baseline", "training": parameters(num_epochs=1).model_dump()}
    path = tmp_path / "settings.yml"
    path.write_text(yaml.safe_dump(content | {"faces": PREPARATION}))
    return path


def test_it_trains_where_kedro_and_mlflow_are_not_installed(crops, settings, tmp_path):
    """Law: the packages import, the command trains two steps, the catalog loads what it wrote."""
    out = tmp_path / "out"
    finished = subprocess.run(
        [sys.executable, "-c", WITHOUT_BOTH, str(crops), str(settings), str(out)],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    checkpoint = CheckpointDataset(filepath=str(out / "checkpoint.pt")).load()
    assert checkpoint["step"] == 2
    assert checkpoint["preparation"] == PREPARATION
    assert [event["event"] for event in read_log(out)] == ["start", "image", "metrics", "finish"]


def test_only_the_training_split_is_read(crops):
    """Law: with splits.csv the test pictures are left out; without it all are taken."""
    assert read_crops(crops).photos.names == ("1-1.png", "1-2.png")
    (crops / "splits.csv").unlink()
    assert len(read_crops(crops).paintings) == 3


def test_an_interrupted_training_is_resumed(crops, settings, tmp_path):
    """Law: `--resume` takes up what was saved; a finished training is returned as it is."""
    out = tmp_path / "out"
    assert main([str(crops), str(settings), str(out)]) == 0
    first = read_checkpoint(out / "checkpoint.pt")
    assert main([str(crops), str(settings), str(out), "--resume"]) == 0
    again = read_checkpoint(out / "checkpoint.pt")
    assert again["step"] == first["step"]
    rows = [event for event in read_log(out) if event["event"] == "metrics"]
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("change", "named"),
    [({"num_epoch": 3}, "num_epoch"), ({"batch_size": 0}, "batch_size"), (None, "training")],
)
def test_settings_that_cannot_be_used_are_named(crops, settings, tmp_path, caplog, change, named):
    """Law: a mistyped, impossible or missing setting ends with one sentence and status 1."""
    content = yaml.safe_load(settings.read_text())
    if change is None:
        del content["training"]
    else:
        content["training"] |= change
    settings.write_text(json.dumps(content))
    assert main([str(crops), str(settings), str(tmp_path / "out")]) == 1
    assert named in caplog.text


def test_missing_crops_are_named(settings, tmp_path, caplog):
    """Law: a folder without face sets ends with one sentence that names it."""
    assert main([str(tmp_path / "none"), str(settings), str(tmp_path / "out")]) == 1
    assert "photo_faces holds no face set" in caplog.text


def test_a_log_is_sent_to_another_tracker(tmp_path):
    """Law: name, rows, pictures and status arrive, each once, in their order."""
    kept, other = FileTracker(tmp_path), MemoryTracker()
    kept.start("proposed", {"seed": 1}, {"data_hash": "ab"})
    for _ in range(2):
        kept.log_image("sample_grid", np.zeros((4, 6, 3), np.uint8), 1)
    kept.log_metrics({"generator_loss": 2.5}, 1)
    kept.finish("FINISHED")
    assert kept.last_step("generator_loss") == 1
    assert kept.last_step("other") == -1
    replay(tmp_path, other)
    assert other.starts == [("proposed", {"seed": 1}, None)]
    assert other.rows == [(1, {"generator_loss": 2.5})]
    assert other.images == [("sample_grid", 1, (4, 6, 3))]
    assert other.statuses == ["FINISHED"]
