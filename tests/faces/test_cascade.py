"""What is found in a picture depends on that picture alone, in every runtime."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.ingestion import FACES, MemoryStore
from support.tiny_model import PREPARATION, tiny_export

from portrait_pipeline.faces.crop import crop_face, crop_transform
from portrait_pipeline.faces.detect import FaceDetector
from portrait_pipeline.faces.detection import Finding
from portrait_pipeline.faces.record import PictureRecord
from portrait_pipeline.faces.survey import survey_pictures
from portrait_pipeline.parameters import FaceParameters
from portrait_pipeline.pictures import ReducedPicture, decode_reduced, read_picture
from portrait_pipeline.portrayal.exported import exported_model
from portrait_pipeline.sample import draw_photo

EXPORTED = FaceParameters(**PREPARATION)
SIZES = ((70, 70), (90, 240), (320, 120), (160, 160), (400, 300), (64, 90), (210, 260), (130, 131))
NUM_PHOTOS = 96


@pytest.fixture(scope="module")
def drawn() -> list[ReducedPicture]:
    """Drawn people in pictures of many sizes and shapes."""
    pictures = []
    for index in range(3 * len(SIZES)):
        width, height = SIZES[index % len(SIZES)]
        edge = min(width, height)
        canvas = Image.new("RGB", (width, height), (90, 110, 120))
        person = Image.fromarray(draw_photo(index, 0, 160).photo)
        canvas.paste(person.resize((edge, edge)), ((width - edge) // 2, (height - edge) // 2))
        pictures.append(ReducedPicture(canvas, width, height))
    return pictures


@pytest.fixture(scope="module")
def photos(shared_pictures: Path) -> list[ReducedPicture]:
    """Photographs of real people: landscape, portrait, square, from 80 to 320 px."""
    paths = sorted((shared_pictures / "photos").glob("*.jpg"))
    chosen = paths[:: len(paths) // NUM_PHOTOS][:NUM_PHOTOS]
    pictures = []
    for index, path in enumerate(chosen):
        image = decode_reduced(path.read_bytes(), path.name, (80, 160, 240, 320)[index % 4]).image
        width, height = image.size
        if index % 3 == 1:
            image = image.crop((width // 6, 0, width - width // 6, height))
        elif index % 3 == 2:
            image = image.crop((0, 0, width, height * 4 // 5))
        pictures.append(ReducedPicture(image, *image.size))
    return pictures


def searched(
    detector: FaceDetector, pictures: Sequence[ReducedPicture], step: int
) -> list[Finding]:
    """Search the pictures in batches of `step`."""
    found = []
    for start in range(0, len(pictures), step):
        found += detector.find(pictures[start : start + step])
    return found


def check_independence(pictures: list[ReducedPicture], parameters: FaceParameters) -> None:
    detector = FaceDetector(parameters)
    alone = searched(detector, pictures, 1)
    order = np.random.default_rng(0).permutation(len(pictures))
    shuffled = detector.find([pictures[row] for row in order])
    assert searched(detector, pictures, 7) == alone
    assert [shuffled[place] for place in np.argsort(order)] == alone
    assert sum(finding.face is not None for finding in alone) > len(pictures) // 2


def check_runtimes(pictures: list[ReducedPicture]) -> None:
    mine = FaceDetector(EXPORTED).find(pictures)
    theirs = exported_model(
        tiny_export(), detection_size_px=EXPORTED.detection_size_px
    ).finder.find(pictures)
    for first, second in zip(mine, theirs, strict=True):
        assert (first.fault, len(first.faces)) == (second.fault, len(second.faces))
        for one, other in zip(first.faces, second.faces, strict=True):
            assert np.allclose(one.box, other.box, atol=0.5)
            assert np.allclose(one.landmarks, other.landmarks, atol=0.5)


def test_drawn_faces_depend_on_their_picture_alone(drawn: list[ReducedPicture]) -> None:
    """Alone, together, shuffled, in batches: equal to the last bit, whatever the sizes beside."""
    check_independence(drawn, FACES)


def test_real_faces_depend_on_their_picture_alone(photos: list[ReducedPicture]) -> None:
    """The same law for 96 photographs of mixed sizes, as they are searched for the report."""
    check_independence(photos, FACES.model_copy(update={"detection_size_px": 320}))


def test_both_runtimes_find_the_same_drawn_faces(drawn: list[ReducedPicture]) -> None:
    """PyTorch and ONNX Runtime agree on every face, to half a pixel."""
    check_runtimes(drawn)


def test_both_runtimes_find_the_same_real_faces(photos: list[ReducedPicture]) -> None:
    """The same law for 96 photographs."""
    check_runtimes(photos)


def test_crops_do_not_depend_on_the_batch(drawn: list[ReducedPicture], tmp_path: Path) -> None:
    """A survey in any order and batch size gives every file the same crop, pixel for pixel."""
    paths = [str(tmp_path / f"{index:02}.png") for index in range(len(drawn))]
    for path, picture in zip(paths, drawn, strict=True):
        picture.image.save(path)
    first = crops(paths, 16)
    assert len(first) > len(paths) // 2
    for batch_size, order in ((1, paths), (5, paths[::-1]), (24, paths[7:] + paths[:7])):
        again = crops(order, batch_size)
        assert again.keys() == first.keys()
        assert all(np.array_equal(again[path], first[path]) for path in first)


def crops(paths: Sequence[str], batch_size: int) -> dict[str, np.ndarray]:
    parameters = FACES.model_copy(update={"batch_size": batch_size})
    detector = FaceDetector(parameters)
    records = survey_pictures(paths, detector, MemoryStore(), parameters)
    return {
        path: _crop(path, record, parameters)
        for path, record in zip(paths, records, strict=True)
        if record.fault is None
    }


def _crop(path: str, record: PictureRecord, parameters: FaceParameters) -> np.ndarray:
    assert record.detection is not None
    picture = read_picture(path)
    transform = crop_transform(record.detection, parameters, picture.size)
    return crop_face(picture, transform, parameters.crop_size_px)
