"""A pasted portrait covers face and hair and meets the photo without a rim."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from skimage import data
from skimage.color import deltaE_ciede2000, rgb2lab
from support.ingestion import FACES, face_at

from portrait_pipeline.faces.crop import CropTransform, crop_face, crop_transform
from portrait_pipeline.faces.detect import FaceDetector
from portrait_pipeline.faces.detection import Detection
from portrait_pipeline.faces.head_mask import head_opacity
from portrait_pipeline.faces.paste import FEATHER, edge_opacity, paste_back

LEVELS = (0.05, 0.25, 0.5, 0.75)
"""Opacities along whose contours the rim is looked at."""
NUM_PHOTOS = 20


def painted(crop: np.ndarray) -> np.ndarray:
    """Stand in for a portrait: brown, darker than the photo, in flat patches, with a grain."""
    pixels = np.asarray(Image.fromarray(crop).filter(ImageFilter.ModeFilter(5)), dtype=float)
    luma = pixels @ (0.299, 0.587, 0.114)
    tones = luma[..., None] * (0.64, 0.47, 0.30) + pixels * 0.2
    tones += np.random.default_rng(0).normal(0, 4, tones.shape[:2])[..., None]
    return np.clip(tones, 0, 255).astype(np.uint8)


def rim_contrast(before: np.ndarray, after: np.ndarray, opacity: np.ndarray) -> float:
    """Measure by how much pasting raises the mean colour difference across the rim (CIEDE2000).

    Between points four pixels apart, across each contour of `LEVELS`; the worst of these.
    """
    down, right = np.gradient(opacity)
    steepness = np.hypot(down, right) + 1e-12
    labs = rgb2lab(before), rgb2lab(after)
    worst = -np.inf
    for level in LEVELS:
        rows, columns = np.nonzero(np.abs(opacity - level) < 0.03)
        step = np.stack([down, right])[:, rows, columns] / steepness[rows, columns] * 2
        ends = [np.rint(np.stack([rows, columns]) + sign * step).astype(int) for sign in (-1, 1)]
        size = np.array(opacity.shape)[:, None]
        inside = np.all([(end >= 0) & (end < size) for end in ends], axis=(0, 1))
        (y1, x1), (y2, x2) = (end[:, inside] for end in ends)
        means = [deltaE_ciede2000(lab[y1, x1], lab[y2, x2]).mean() for lab in labs]
        worst = max(worst, means[1] - means[0])
    return float(worst)


def pasted_contrast(picture: Image.Image, face: Detection) -> float:
    square = crop_transform(face, FACES, picture.size)
    portrait = painted(crop_face(picture, square, 128))
    after = paste_back(picture, portrait, square, face)
    box = (0, 0, *picture.size)
    opacity = edge_opacity(square, box, FEATHER, picture.size) * head_opacity(face, square, box)
    assert np.abs(np.asarray(after).astype(int) - np.asarray(picture)).max() > 20
    return rim_contrast(np.asarray(picture), np.asarray(after), opacity)


def photos(folder: Path) -> Iterator[Image.Image]:
    paths = sorted(folder.glob("*.jpg"))
    for path in paths[:: len(paths) // (NUM_PHOTOS + 5)]:
        yield Image.open(path).convert("RGB")


def test_photographs_show_no_rim(shared_pictures: Path) -> None:
    """Over 20 photographs the rim is at most 2 above the untouched photo's, on average and each."""
    found = [
        pasted_contrast(photo, face)
        for photo in photos(shared_pictures / "photos")
        for face in FaceDetector(FACES).detect([photo])
        if face is not None
    ][:NUM_PHOTOS]
    assert len(found) == NUM_PHOTOS
    assert max(found) <= 2.0


def test_an_astronaut_shows_no_rim() -> None:
    """The same on a photograph that everybody has, whose face is small in the picture."""
    picture = Image.fromarray(data.astronaut())
    (face,) = FaceDetector(FACES).detect([picture])
    assert face is not None
    assert pasted_contrast(picture, face) <= 2.0


@pytest.mark.parametrize("tilt", [0.0, 25.0])
def test_the_head_is_whole_and_the_corners_of_its_crop_are_the_photo(tilt: float) -> None:
    """Eyes, nose and mouth are the portrait's alone, the corners of the square the photo's."""
    face = face_at(120, 120, 100, tilt)
    square = crop_transform(face, FACES, (400, 400))
    opacity = head_opacity(face, square, (0, 0, 400, 400))
    corners = square.to_source(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=float), 1)
    assert [opacity[int(y), int(x)] > 0.8 for x, y in face.landmarks] == [True] * 5
    assert [opacity[int(y), int(x)] < 0.1 for x, y in corners] == [True] * 4
    assert np.abs(np.diff(opacity, axis=0)).max() < 0.05


def test_a_square_on_the_border_of_its_picture_does_not_fade_there() -> None:
    """There is nothing beyond the border to fade into; the other edges stay soft."""
    opacity = edge_opacity(CropTransform(50, 60, 100), (0, 0, 100, 200), 0.2, (100, 200))
    assert (opacity[60, [0, 99]] == 1.0).all()
    assert opacity[[10, 109], 50].max() < 0.01
