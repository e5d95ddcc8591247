"""Face crops as the pipelines cut them, of real pictures or, where those are not, of drawn ones."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from portrait_pipeline.faces.crop import crop_face, crop_transform
from portrait_pipeline.faces.detect import FaceDetector
from portrait_pipeline.parameters import FaceParameters
from portrait_pipeline.sample import draw_photo

FACES = FaceParameters(
    crop_size_px=64,
    margin=0.35,
    min_probability=0.9,
    min_face_px=32,
    align_eyes=True,
    no_face="drop",
    detection_size_px=192,
    batch_size=8,
)
SHARED_PICTURES = Path(__file__).resolve().parents[3] / "shared" / "pictures"

Crops = UInt8[np.ndarray, "faces size size 3"]


def real_faces(kind: str, count: int, size_px: int = FACES.crop_size_px) -> Crops:
    """Cut faces of `photos` or `paintings`, spread over the folder (which is sorted by sex).

    Where that folder is not beside the project, drawn ones stand in.
    """
    folder = SHARED_PICTURES / kind
    if not folder.is_dir():
        return drawn_faces(count, size_px)
    paths = sorted(folder.glob("*.jpg"))
    # Half as many again as wanted: not every painting shows a face large enough.
    chosen = paths[:: max(1, len(paths) * 2 // (3 * count))]
    pictures = [Image.open(path).convert("RGB") for path in chosen]
    crops = list(cut_faces(pictures, size_px))
    return np.stack([crops[row] for row in np.linspace(0, len(crops) - 1, count).astype(int)])


def drawn_faces(count: int, size_px: int = FACES.crop_size_px) -> Crops:
    """Cut the faces of the embedded sample's first photos."""
    pictures = [Image.fromarray(draw_photo(index, 0, 160).photo) for index in range(count)]
    return cut_faces(pictures, size_px)


def cut_faces(pictures: Sequence[Image.Image], size_px: int) -> Crops:
    """Cut the face of each picture that shows one."""
    found = zip(pictures, FaceDetector(FACES).detect(pictures), strict=True)
    crops = [
        crop_face(picture, crop_transform(face, FACES, picture.size), size_px)
        for picture, face in found
        if face
    ]
    return np.stack(crops) if crops else np.empty((0, size_px, size_px, 3), dtype=np.uint8)
