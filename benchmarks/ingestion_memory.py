"""Measure how much memory the ingestion needs for 1,000 and for 20,000 pictures.

    python -m benchmarks.ingestion_memory               1,000 and 20,000 pictures
    python -m benchmarks.ingestion_memory FOLDER … --pictures 100 400

Without folders it takes those of real pictures beside the project, 1,600 of them. They are copied
over and over under other names, each made another file by a few bytes behind its end, so that none
is known from before. A stub stands in for the networks and finds a face in the middle of every
picture; all else is the pipeline's own: survey, store, audit, splits, crops and the packed set.
Each number of pictures runs in a process of its own.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from portrait_pipeline.datasets.detection_store import SqliteDetectionStore
from portrait_pipeline.datasets.face_set import FaceSetDataset
from portrait_pipeline.faces.audit import audit_pictures, describe_audit
from portrait_pipeline.faces.columns import survey_table
from portrait_pipeline.faces.detection import Detection, Finding
from portrait_pipeline.faces.lazy import lazy_faces
from portrait_pipeline.faces.split import split_pictures
from portrait_pipeline.faces.survey import survey_pictures
from portrait_pipeline.parameters import AuditParameters, Domain, FaceParameters, SplitParameters
from portrait_pipeline.pictures import ReducedPicture
from portrait_pipeline.process_resources import peak_memory_mb

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT.parent / "shared" / "pictures"
FOLDERS = (PICTURES / "photos", PICTURES / "paintings")
CROP_SIZE_PX = 64
DOMAINS: tuple[Domain, ...] = ("photo", "painting")
FACES = FaceParameters(
    crop_size_px=CROP_SIZE_PX,
    margin=0.35,
    min_probability=0.9,
    min_face_px=20,
    align_eyes=True,
    no_face="drop",
    detection_size_px=512,
    batch_size=16,
)
# copies are kept: there are only so many pictures, and all are to go the whole way
AUDIT = AuditParameters(
    drop_monochrome_paintings=False, drop_duplicates=False, near_duplicate_distance_bits=4
)
SPLITS = SplitParameters(
    num_train=10**6, num_validation=10**5, num_test=10**5, split="proportional", seed=0
)


class Stub:
    """Finds a face in the middle of every picture without looking."""

    def find(self, pictures: Sequence[ReducedPicture]) -> list[Finding]:
        """Return half of each picture."""
        return [self._middle(picture) for picture in pictures]

    def _middle(self, picture: ReducedPicture) -> Finding:
        size = np.array([picture.width_px, picture.height_px], dtype=np.float64)
        low, edge = size / 4, size.min() / 2
        unit = np.array([[0.3, 0.4], [0.7, 0.42], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
        box = np.concatenate([low, low + edge])
        return Finding(Detection.of_arrays(box, low + unit * edge, 0.99), None)


def main() -> None:
    """Run each number of pictures in a process of its own; print a table."""
    options = _options()
    if options.child:
        _run(options.folders, options.child)
        return
    print("| pictures | seconds | peak memory |\n| --- | --- | --- |", flush=True)
    for count in options.pictures:
        command = [sys.executable, "-m", "benchmarks.ingestion_memory", "--child", str(count)]
        folders = [str(folder.resolve()) for folder in options.folders]
        subprocess.run([*command, *folders], cwd=ROOT, check=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the memory of the ingestion.")
    parser.add_argument("folders", nargs="*", type=Path, default=list(FOLDERS))
    parser.add_argument("--pictures", nargs="+", type=int, default=[1000, 20_000])
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def _run(folders: Sequence[Path], count: int) -> None:
    root = Path(tempfile.mkdtemp(prefix="ingestion_memory_"))
    try:
        sources = _sources(folders, root / "pictures", count)
        began = time.perf_counter()
        _ingest(sources, root)
        seconds = time.perf_counter() - began
    finally:
        shutil.rmtree(root)
    # kilobytes on Linux
    peak_mb = peak_memory_mb()
    print(f"| {count} | {seconds:.0f} | {peak_mb:.0f} MB |", flush=True)


def _ingest(sources: pd.DataFrame, root: Path) -> None:
    store = SqliteDetectionStore(root / "store.sqlite")
    half = len(sources) // 2
    surveys = []
    for domain, rows in zip(DOMAINS, (sources[:half], sources[half:]), strict=True):
        records = survey_pictures(rows["path"].tolist(), Stub(), store, FACES)
        surveys.append(survey_table(rows, domain, records))
    audit = audit_pictures(pd.concat(surveys, ignore_index=True), FACES, AUDIT)
    audit = split_pictures(audit, SPLITS)
    for domain in DOMAINS:
        dataset = FaceSetDataset(path=str(root / domain))
        dataset.save(lazy_faces(audit, domain, CROP_SIZE_PX))
    print(f"<!-- {'; '.join(describe_audit(audit))} -->", file=sys.stderr)


def _sources(folders: Sequence[Path], target: Path, count: int) -> pd.DataFrame:
    target.mkdir()
    originals = [path for folder in folders for path in sorted(folder.iterdir())]
    paths = [target / f"{row:06}{originals[row % len(originals)].suffix}" for row in range(count)]
    for row, path in enumerate(paths):
        content = originals[row % len(originals)].read_bytes()
        path.write_bytes(content + f"copy {row}".encode())
    return pd.DataFrame(
        {"name": [path.name for path in paths], "path": list(map(str, paths)), "twin_path": pd.NA}
    )


if __name__ == "__main__":
    main()
