"""All pictures of one set: read, searched and measured on every core, a few at a time."""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import torch

from portrait_pipeline.cores import available_cores
from portrait_pipeline.faces.detection import Finding
from portrait_pipeline.faces.parallel import in_order, single_threaded_torch
from portrait_pipeline.faces.record import (
    DetectionStore,
    PictureRecord,
    measure,
    record_key,
    without_picture,
)
from portrait_pipeline.images import PictureError, ReducedPicture, decode_reduced
from portrait_pipeline.parameters import FaceParameters

BATCHES_PER_TASK = 2


class Finder(Protocol):
    """What looks for faces: a `FaceDetector`, or a stand-in."""

    def find(self, pictures: Sequence[ReducedPicture]) -> list[Finding]:
        """Return for each picture its face, or what was wrong."""


def survey_pictures(
    paths: Sequence[str], finder: Finder, store: DetectionStore, parameters: FaceParameters
) -> Iterator[PictureRecord]:
    """Yield the record of every file, in order; only what the store does not know is measured.

    Files are hashed, and the unknown ones decoded and searched, by as many threads as there are
    cores. Memory does not grow with their number. Every finished task is in the store before its
    records are handed out, so that an interrupted run goes on where it was.
    """
    workers = available_cores()
    step = BATCHES_PER_TASK * parameters.batch_size
    tasks = (paths[start : start + step] for start in range(0, len(paths), step))

    def work(files: Sequence[str]) -> list[PictureRecord]:
        return _survey_files(files, finder, store, parameters)

    with (
        single_threaded_torch(),
        ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool,
    ):
        for records in in_order(pool, work, tasks, ahead=workers + 1):
            yield from records


def _survey_files(
    files: Sequence[str], finder: Finder, store: DetectionStore, parameters: FaceParameters
) -> list[PictureRecord]:
    hashes = [_content_hash(path) for path in files]
    keys = [record_key(value, parameters) for value in hashes]
    known = store.get(keys)
    unknown = {key: row for row, key in enumerate(keys) if key not in known}
    pictures: dict[str, ReducedPicture] = {}
    fresh: dict[str, PictureRecord] = {}
    for key, row in unknown.items():
        try:
            pictures[key] = _read(Path(files[row]), parameters.detection_size_px)
        except PictureError as error:
            fresh[key] = without_picture(hashes[row], error.fault)
    findings = finder.find(list(pictures.values())) if pictures else []
    for (key, picture), finding in zip(pictures.items(), findings, strict=True):
        fresh[key] = measure(hashes[unknown[key]], picture, finding, parameters)
    store.put({key: record for key, record in fresh.items() if record.content_hash})
    records = {**known, **fresh}
    return [records[key] for key in keys]


def _content_hash(path: str) -> str:
    """Return the SHA-256 of a file, or nothing when it cannot be opened."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _read(path: Path, longest_px: int) -> ReducedPicture:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PictureError(path.name, "unreadable", error.strerror or str(error)) from error
    return decode_reduced(data, path.name, longest_px)
