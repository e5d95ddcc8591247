"""A training without catalog or tracker: its crops, settings and log are plain files."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from jaxtyping import UInt8
from PIL import Image
from pydantic import ValidationError

from portrait_pipeline.cyclegan.data import TrainingData
from portrait_pipeline.cyclegan.services import RunStatus, RunTracker
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.files import open_whole, write_whole
from portrait_pipeline.images import FACE_INDEX, PACKED_FACES, FaceSet, read_face_set
from portrait_pipeline.parameters import Parameters, TrainingParameters

LOG = "log.jsonl"


class RunSettings(Parameters):
    """The settings file of `python -m portrait_pipeline.cyclegan.train`.

    Attributes:
        model: How the model is called.
        training: As the node that trains gets them: nothing is left to defaults of `conf`.
        faces: How the crops were made; kept in the checkpoint for later use of the model.
    """

    model: str = "proposed"
    training: TrainingParameters
    faces: dict[str, Any]


def read_settings(path: Path) -> RunSettings:
    """Read a settings file, YAML or JSON.

    Raises:
        PortraitPipelineError: if it is missing, or a setting is unknown, missing or out of bounds.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return RunSettings.model_validate(content)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        reason = "; ".join(str(error).split("\n")[:4])
        raise PortraitPipelineError(
            f"the settings {path} cannot be used ({reason}), expected `model`, `training` and"
            " `faces` as docs/scaling.md shows"
        ) from error


def read_crops(folder: Path) -> TrainingData:
    """Read the crops that ingestion wrote (`data/03_primary/<workspace>`), pixels memory-mapped.

    Where the folder holds `splits.csv`, only the training split is taken.

    Args:
        folder: Holds `photo_faces` and `painting_faces`, each with `faces.npy` and `index.json`.

    Raises:
        PortraitPipelineError: if one of the sets is not there.
    """
    photos = _read_faces(folder / "photo_faces")
    paintings = _read_faces(folder / "painting_faces")
    splits = folder / "splits.csv"
    if not splits.is_file():
        return TrainingData(photos, paintings)
    with splits.open(encoding="utf-8", newline="") as file:
        train = [row for row in csv.DictReader(file) if row["split"] == "train"]
    photo_names, painting_names = (
        sorted(row["name"] for row in train if row["domain"] == domain)
        for domain in ("photo", "painting")
    )
    return TrainingData(photos.subset(photo_names), paintings.subset(painting_names))


def _read_faces(folder: Path) -> FaceSet:
    try:
        return read_face_set(folder)
    except ValueError as error:
        raise PortraitPipelineError(
            f"{folder} holds no face set that can be read ({error}), expected {PACKED_FACES} and"
            f" {FACE_INDEX} as `kedro run --pipeline=ingest` writes them"
        ) from error


class FileTracker:
    """Keeps one training's log in a folder: a JSON line for each event, a PNG for each picture.

    Implements `services.RunTracker`; `replay` sends the log to another tracker.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start(
        self,
        name: str,
        parameters: Mapping[str, object],
        tags: Mapping[str, str],
        tracking_id: str | None = None,
    ) -> str:
        """Begin a log, or go on with the one that is there when `tracking_id` is given."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if tracking_id is None:
            (self._folder / LOG).unlink(missing_ok=True)
        started = {"name": name, "parameters": dict(parameters), "tags": dict(tags)}
        self._append({"event": "start", **started})
        return tracking_id or name

    def last_step(self, metric: str) -> int:
        """Return the last step at which the log holds a metric, or -1 for none."""
        steps = [e["step"] for e in read_log(self._folder) if metric in e.get("metrics", {})]
        return max(steps, default=-1)

    def log_metrics(self, metrics: Mapping[str, float], step: int) -> None:
        """Add the metrics of one epoch."""
        self._append({"event": "metrics", "step": step, "metrics": dict(metrics)})

    def log_image(self, key: str, image: UInt8[np.ndarray, "height width 3"], step: int) -> None:
        """Keep a picture as `<key>_<step>.png`."""
        name = f"{key}_{step:05d}.png"
        with open_whole(self._folder / name) as file:
            Image.fromarray(image).save(file, format="PNG")
        self._append({"event": "image", "step": step, "key": key, "file": name})

    def finish(self, status: RunStatus) -> None:
        """Note how the training ended."""
        self._append({"event": "finish", "status": status})

    def _append(self, event: Mapping[str, object]) -> None:
        events = [*read_log(self._folder), event]
        write_whole(self._folder / LOG, "".join(f"{json.dumps(e)}\n" for e in events).encode())


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Return the events of a folder's log, oldest first; none where there is no log."""
    path = folder / LOG
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [json.loads(line) for line in lines]


def replay(folder: Path, tracker: RunTracker) -> None:
    """Send the log of a finished training to a tracker, for example the catalog's MLflow run.

    Raises:
        PortraitPipelineError: if the folder holds no log.
    """
    events = read_log(folder)
    if not events:
        raise PortraitPipelineError(f"{folder} holds no {LOG}, expected the OUT of a training")
    first = events[0]
    tracker.start(first["name"], first["parameters"], first["tags"])
    for event in _without_repeats(events):
        if event["event"] == "image":
            with Image.open(folder / event["file"]) as image:
                tracker.log_image(event["key"], np.asarray(image), event["step"])
        elif event["event"] == "metrics":
            tracker.log_metrics(event["metrics"], event["step"])
    tracker.finish(events[-1].get("status", "FAILED"))


def _without_repeats(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each picture and each row once; an interrupted epoch may have logged its picture."""
    seen = set()
    for event in events:
        key = (event["event"], event.get("step"), event.get("key"))
        if key not in seen:
            yield event
        seen.add(key)
