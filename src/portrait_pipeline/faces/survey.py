"""All pictures of one set: read, searched and measured on every core, a few at a time."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
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
from portrait_pipeline.parameters import FaceParameters
from portrait_pipeline.pictures import (
    PictureError,
    ReducedPicture,
    decode_reduced,
    open_file,
    read_file,
)

BATCHES_PER_TASK = 2
TRANSIENT_FAULT = "too costly"
"""May be another on a machine with more room; so it is not kept in the store."""


class Finder(Protocol):
    """What finds faces: a `FaceDetector`, or a stand-in."""

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
    records: dict[int, PictureRecord] = {}
    hashes: dict[int, str] = {}
    for row, path in enumerate(files):
        try:
            hashes[row] = _content_hash(Path(path))
        except PictureError as error:
            records[row] = without_picture("", error.fault, error.detail)
    keys = {row: record_key(value, parameters) for row, value in hashes.items()}
    known = store.get(list(keys.values()))
    first_rows = {key: row for row, key in reversed(keys.items()) if key not in known}
    fresh = {
        keys[row]: record
        for row, record in _measured(
            {row: files[row] for row in first_rows.values()}, hashes, finder, parameters
        )
    }
    store.put({key: record for key, record in fresh.items() if record.fault != TRANSIENT_FAULT})
    found = {**known, **fresh}
    records |= {row: found[key] for row, key in keys.items()}
    return [records[row] for row in range(len(files))]


def _measured(
    files: Mapping[int, str],
    hashes: Mapping[int, str],
    finder: Finder,
    parameters: FaceParameters,
) -> Iterator[tuple[int, PictureRecord]]:
    """Yield the record of each file that is not known yet, by its row."""
    pictures: dict[int, ReducedPicture] = {}
    for row, path in files.items():
        try:
            data = read_file(Path(path))
            pictures[row] = decode_reduced(data, Path(path).name, parameters.detection_size_px)
        except PictureError as error:
            yield row, without_picture(hashes[row], error.fault, error.detail)
    findings = finder.find(list(pictures.values())) if pictures else []
    for (row, picture), finding in zip(pictures.items(), findings, strict=True):
        yield row, measure(hashes[row], picture, finding, parameters)


def _content_hash(path: Path) -> str:
    """Return the SHA-256 of a file that may be a picture."""
    with open_file(path) as file:
        try:
            return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise PictureError(path.name, "unreadable", error.strerror or str(error)) from error
