"""What the tests of the ingestion share: settings, drawn files and stand-ins."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from portrait_pipeline.faces.detection import Detection, Finding
from portrait_pipeline.faces.record import PictureRecord
from portrait_pipeline.images import FACE_INDEX, read_face_set
from portrait_pipeline.parameters import AuditParameters, FaceParameters, SplitParameters
from portrait_pipeline.pictures import ReducedPicture

FACES = FaceParameters(
    crop_size_px=64,
    margin=0.35,
    fit_in_picture=True,
    min_probability=0.9,
    min_face_px=24,
    align_eyes=True,
    no_face="drop",
    detection_size_px=256,
    batch_size=4,
)
AUDIT = AuditParameters(
    drop_monochrome_paintings=True, drop_duplicates=True, near_duplicate_distance_bits=4
)
SPLITS = SplitParameters(num_train=4, num_validation=2, num_test=2, split="exact", seed=0)


def face_at(left: float, top: float, edge: float, tilt_degrees: float = 0.0) -> Detection:
    """A face with its landmarks in their usual places, turned clockwise about its centre."""
    unit = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]]) - 0.5
    angle = np.radians(tilt_degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = unit @ turn * edge + (left + edge / 2, top + edge / 2)
    box = np.array([left, top, left + edge, top + edge])
    return Detection.of_arrays(box, points, 0.99)


def tables_of(root: Path) -> dict[str, bytes]:
    """Read every table of an ingestion by its name."""
    files = (path for path in root.iterdir() if path.suffix in (".csv", ".json"))
    return {path.name: path.read_bytes() for path in files}


def crops_of(root: Path, domain: str) -> dict[str, tuple[bytes, bytes]]:
    """Read every crop of a set by its name: its PNG and its packed pixels, wherever they lie."""
    faces = read_face_set(root / f"{domain}_faces")
    pngs = {}
    for folder in faces.folders:
        index = json.loads((folder / FACE_INDEX).read_bytes())
        files = zip(index["names"], index["files"], strict=True)
        pngs |= {name: (folder / file).read_bytes() for name, file in files}
    return {name: (pngs[name], faces[row].tobytes()) for row, name in enumerate(faces.names)}


class MemoryStore:
    """A `DetectionStore` in memory that may fail after some records."""

    def __init__(self, fail_after: int | None = None) -> None:
        self.records: dict[str, PictureRecord] = {}
        self.fail_after = fail_after

    def get(self, keys: Sequence[str]) -> dict[str, PictureRecord]:
        """Return what is there."""
        return {key: self.records[key] for key in keys if key in self.records}

    def put(self, records: Mapping[str, PictureRecord]) -> None:
        """Keep records, or die."""
        if self.fail_after is not None and len(self.records) >= self.fail_after:
            raise KeyboardInterrupt
        self.records.update(records)


class CentreFinder:
    """Finds a face in the middle of every picture, and counts the pictures it was shown."""

    def __init__(self) -> None:
        self.seen = 0

    def find(self, pictures: Sequence[ReducedPicture]) -> list[Finding]:
        """Return half the picture."""
        self.seen += len(pictures)
        return [self._centre(picture) for picture in pictures]

    def _centre(self, picture: ReducedPicture) -> Finding:
        edge = min(picture.width_px, picture.height_px) / 2
        left, top = (picture.width_px - edge) / 2, (picture.height_px - edge) / 2
        return Finding(face_at(left, top, edge), None)


def noise_pictures(folder: Path, count: int, first: int = 0) -> pd.DataFrame:
    """Write small coloured pictures that differ from one another; return them as sources."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"picture_{index:04}.png" for index in range(first, first + count)]
    for index, path in enumerate(paths, start=first):
        rng = np.random.default_rng(index)
        coarse = Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8))
        coarse.resize((64, 64), Image.Resampling.BICUBIC).save(path)
    return sources(paths)


def sources(paths: Sequence[Path]) -> pd.DataFrame:
    """List files as a source does."""
    return pd.DataFrame(
        {
            "name": [path.name for path in paths],
            "path": [str(path) for path in paths],
            "twin_path": pd.NA,
        }
    )
