"""Time the search for faces beside facenet-pytorch's plain loop, over the same files.

    python -m benchmarks.detection                     200 photos and 200 paintings, three rounds
    python -m benchmarks.detection FOLDER … --pictures 50 --rounds 1

Without folders it takes those of real pictures beside the project. The plain loop opens each file
and calls `MTCNN(...)(image)`: its `forward` is `detect`, `select_boxes` and `extract`, which are
called one by one here so that the box is at hand. Ours is the whole stage of the ingestion: read,
hash, search, and measure every file, nothing known before, with the settings of `conf/base`. Both
search for faces from 20 px on and take the largest above a probability of 0.9. The two alternate;
the medians of the rounds count. The same face is found where both boxes overlap by an IoU above
0.7. Run it while nothing else runs; where something does, the ratio of the processor's time counts
(with OMP_WAIT_POLICY=passive, or waiting for a busy core counts as the plain loop's work).
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from facenet_pytorch import MTCNN
from PIL import Image

from portrait_pipeline.cores import available_cores
from portrait_pipeline.decoding.processes import decoder_pool
from portrait_pipeline.faces.detect import FaceDetector
from portrait_pipeline.faces.detection import Detection, overlap
from portrait_pipeline.faces.record import PictureRecord
from portrait_pipeline.faces.survey import survey_pictures
from portrait_pipeline.parameters import FaceParameters

MIN_FACE_PX = 20
MIN_PROBABILITY = 0.9
SAME_FACE_IOU = 0.7
PICTURES = Path(__file__).resolve().parents[2] / "shared" / "pictures"
FOLDERS = (PICTURES / "photos", PICTURES / "paintings")
CONF = Path(__file__).resolve().parents[1] / "conf" / "base" / "parameters_ingestion.yml"


def face_parameters() -> FaceParameters:
    """Return the settings of `conf/base`, but for the smallest face."""
    settings = yaml.safe_load(CONF.read_text(encoding="utf-8"))["faces"]
    own = {"min_face_px": MIN_FACE_PX, "min_probability": MIN_PROBABILITY}
    return FaceParameters(**(settings | own))


class Forgetful:
    """A store that keeps nothing, so that every round does all of the work."""

    def get(self, keys: Sequence[str]) -> dict[str, PictureRecord]:
        """Know nothing."""
        return {}

    def put(self, records: Mapping[str, PictureRecord]) -> None:
        """Forget."""


def main() -> None:
    """Print pictures per second of both ways, their ratio, and how often they agree."""
    options = _options()
    if hasattr(os, "sched_setaffinity"):  # not on macOS and Windows
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    torch.set_num_threads(options.threads)
    plain = MTCNN(min_face_size=MIN_FACE_PX, selection_method="largest_over_threshold")
    detector = FaceDetector(face_parameters())
    print(f"{options.pictures} pictures of each folder, {options.threads} threads,", end=" ")
    print(f"median of {options.rounds} rounds\n")
    print("| folder | plain /s | ours /s | ratio | CPU ratio | same face | plain | ours |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    totals = {"plain": 0.0, "ours": 0.0}
    for folder in options.folders:
        paths = _spread(sorted(path for path in folder.iterdir() if path.is_file()), options)
        ways: dict[str, Callable[[], list[Any]]] = {
            "plain": partial(_plain_loop, plain, paths),
            "ours": partial(_survey, detector, paths),
        }
        times, results = _time(ways, options.rounds)
        totals = {way: totals[way] + times[way][0] for way in totals}
        print(_line(folder.name, times, results["plain"], results["ours"]), flush=True)
    print(f"\nboth together: {totals['plain'] / totals['ours']:.1f} times the pictures per second")


def _time(
    ways: Mapping[str, Callable[[], list[Any]]], rounds: int
) -> tuple[dict[str, tuple[float, float]], dict[str, list[Any]]]:
    """Return the median seconds on the wall and of the processor, and the last results."""
    seconds: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    results = {}
    for _ in range(rounds):
        for way, run in ways.items():
            wall, processor = time.perf_counter(), _processor_seconds()
            results[way] = run()
            decoder_pool().close()  # the system counts processes that have ended
            seconds[way].append((time.perf_counter() - wall, _processor_seconds() - processor))
    medians = {way: _medians(pairs) for way, pairs in seconds.items()}
    return medians, results


def _processor_seconds() -> float:
    """Return the processor's time of this process and of its decoders that have ended."""
    return sum(os.times()[:4])


def _medians(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(pair[0] for pair in pairs), statistics.median(
        pair[1] for pair in pairs
    )


def _plain_loop(network: MTCNN, paths: Sequence[Path]) -> list[Detection | None]:
    return [_plain(network, path) for path in paths]


def _survey(detector: FaceDetector, paths: Sequence[Path]) -> list[PictureRecord]:
    names = [str(path) for path in paths]
    return list(survey_pictures(names, detector, Forgetful(), detector.parameters))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time the search for faces beside the plain loop.")
    parser.add_argument("folders", nargs="*", type=Path, default=list(FOLDERS))
    parser.add_argument("--pictures", type=int, default=200, help="of each folder")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=available_cores())
    return parser.parse_args()


def _spread(paths: list[Path], options: argparse.Namespace) -> list[Path]:
    rows = np.linspace(0, len(paths) - 1, min(options.pictures, len(paths))).round().astype(int)
    return [paths[row] for row in rows]


def _plain(network: MTCNN, path: Path) -> Detection | None:
    image = Image.open(path).convert("RGB")
    boxes, probabilities, points = network.detect(image, landmarks=True)
    if boxes is None:
        return None
    method = network.selection_method
    boxes, *_ = network.select_boxes(boxes, probabilities, points, image, method=method)
    network.extract(image, boxes, None)
    if boxes is None:
        return None
    return Detection.of_arrays(boxes[0].astype(float), np.zeros((5, 2)), 1.0)


def _line(
    name: str,
    times: Mapping[str, tuple[float, float]],
    expected: Sequence[Detection | None],
    found: Sequence[PictureRecord],
) -> str:
    count = len(found)
    pairs = list(zip(expected, found, strict=True))
    faces = [(face, record) for face, record in pairs if face is not None]
    same = sum(
        record.fault is None
        and record.detection is not None
        and overlap(face, record.detection) > SAME_FACE_IOU
        for face, record in faces
    )
    cells = (
        name,
        f"{count / times['plain'][0]:.1f}",
        f"{count / times['ours'][0]:.1f}",
        f"{times['plain'][0] / times['ours'][0]:.1f}",
        f"{times['plain'][1] / times['ours'][1]:.1f}",
        f"{100 * same / max(1, len(faces)):.1f} %",
        f"{len(faces)} of {count}",
        f"{sum(record.fault is None for record in found)} of {count}",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
