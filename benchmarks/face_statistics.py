"""Compute the files of face statistics that the package ships, from folders of pictures.

    python benchmarks/face_statistics.py ../shared/pictures/photos ../shared/pictures/paintings

writes the mean descriptors of dlib and FaceRes in src/portrait_pipeline/identity (the part that a
network's raw descriptors of all faces share) and shape_statistics.json in
src/portrait_pipeline/identity (how faces differ in shape); `--of faceres` writes that one alone.
All are means over many faces, from which no picture can be reconstructed. Each folder counts
alike, whatever its number of faces, and each face is seen at every size in SIZES_PX.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image

from portrait_pipeline.faces.crop import crop_face, crop_transform
from portrait_pipeline.faces.detect import FaceDetector
from portrait_pipeline.identity import Embedder, load_embedder
from portrait_pipeline.identity.face_shape import ShapeStatistics, fit_statistics
from portrait_pipeline.identity.landmarks import find_landmarks
from portrait_pipeline.images import to_model_range
from portrait_pipeline.parameters import FaceParameters, Teacher

SIZES_PX = (64, 128, 256)
NUM_DIRECTIONS = 40
STATISTICS = ("dlib", "faceres", "shapes")
BATCH_SIZE = 16
PACKAGE = Path(__file__).resolve().parents[1] / "src" / "portrait_pipeline"
FACES = FaceParameters(
    crop_size_px=max(SIZES_PX),
    margin=0.35,
    min_probability=0.9,
    min_face_px=32,
    align_eyes=True,
    no_face="drop",
    detection_size_px=320,
    batch_size=BATCH_SIZE,
)


def cut_folder(folder: Path) -> UInt8[np.ndarray, "faces 256 256 3"]:
    """Cut the face of every picture of a folder that shows one."""
    detector = FaceDetector(FACES)
    crops: list[np.ndarray] = []
    for paths in _batches(sorted(folder.glob("*.jpg"))):
        pictures = [Image.open(path).convert("RGB") for path in paths]
        for picture, face in zip(pictures, detector.detect(pictures), strict=True):
            if face is not None:
                square = crop_transform(face, FACES, picture.size)
                crops.append(crop_face(picture, square, FACES.crop_size_px))
    return np.stack(crops)


def shrink(
    crops: UInt8[np.ndarray, "faces 256 256 3"], size_px: int
) -> UInt8[np.ndarray, "faces size size 3"]:
    """Bring crops to another size, antialiased."""
    lanczos = Image.Resampling.LANCZOS
    return np.stack(
        [np.asarray(Image.fromarray(crop).resize((size_px, size_px), lanczos)) for crop in crops]
    )


@torch.no_grad()
def raw_descriptors(
    crops: UInt8[np.ndarray, "faces size size 3"], embedder: Embedder
) -> Float[np.ndarray, "faces dim"]:
    """Compute a network's raw descriptors."""
    batches = (crops[start : start + BATCH_SIZE] for start in range(0, len(crops), BATCH_SIZE))
    return np.concatenate(
        [embedder.descriptors(to_model_range(batch)).numpy() for batch in batches]
    )


def write_mean_descriptor(name: Teacher, sets: dict[str, np.ndarray]) -> None:
    """Average over faces and sizes, then over folders."""
    embedder = load_embedder(name)
    mean = np.mean(
        [
            raw_descriptors(shrink(crops, size), embedder).mean(axis=0)
            for crops in sets.values()
            for size in SIZES_PX
        ],
        axis=0,
    )
    content = _provenance(sets) | {"mean_descriptor": [round(float(value), 6) for value in mean]}
    _write(PACKAGE / "identity" / f"{name}_mean_descriptor.json", content)


def write_shape_statistics(sets: dict[str, np.ndarray]) -> None:
    """Learn the mean shape and its principal directions from as many faces of each folder."""
    count = min(len(crops) for crops in sets.values())
    crops = np.concatenate([shrink(crops[:count], SIZES_PX[0]) for crops in sets.values()])
    statistics = fit_statistics(find_landmarks(crops), NUM_DIRECTIONS)
    content = _provenance(sets) | _rounded(statistics)
    _write(PACKAGE / "identity" / "shape_statistics.json", content)


def _rounded(statistics: ShapeStatistics) -> dict[str, object]:
    return {
        "mean": np.round(statistics.mean, 6).tolist(),
        "directions": np.round(statistics.directions, 4).tolist(),
    }


def _provenance(sets: dict[str, np.ndarray]) -> dict[str, object]:
    return {
        "made_by": "benchmarks/face_statistics.py",
        "faces": {name: len(crops) for name, crops in sets.items()},
    }


def _write(path: Path, content: dict[str, object]) -> None:
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items())
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(path.name, path.stat().st_size, "bytes")


def _batches(paths: list[Path]) -> Iterator[list[Path]]:
    for start in range(0, len(paths), BATCH_SIZE):
        yield paths[start : start + BATCH_SIZE]


def main() -> None:
    """Read the folders and write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--of", nargs="+", choices=STATISTICS, default=STATISTICS)
    arguments = parser.parse_args()
    sets = {folder.name: cut_folder(folder) for folder in arguments.folders}
    for name in arguments.of:
        if name == "shapes":
            write_shape_statistics(sets)
        else:
            write_mean_descriptor(name, sets)


if __name__ == "__main__":
    main()
