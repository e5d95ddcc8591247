"""The search finds what facenet-pytorch's own loop finds."""

import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN
from PIL import Image
from support.ingestion import FACES

from portrait_pipeline.faces.detect import FaceDetector
from portrait_pipeline.faces.detection import Detection, overlap
from portrait_pipeline.faces.mtcnn import mtcnn_cascade
from portrait_pipeline.pictures import ReducedPicture
from portrait_pipeline.sample import draw_photo

SIZES = ((200, 200), (150, 190), (210, 140))


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    """Drawn people on canvases of several shapes, and one picture without anybody."""
    drawn = []
    for index, size in enumerate(SIZES):
        person = Image.fromarray(draw_photo(index, 0, 128).photo)
        canvas = Image.new("RGB", size, (90, 110, 120))
        canvas.paste(person, (size[0] - 135, 5))
        drawn.append(canvas)
    return [*drawn, Image.new("RGB", (180, 180), (120, 120, 120))]


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    """The real networks."""
    return FaceDetector(FACES)


def test_a_whole_search_equals_facenets_loop(pictures: list[Image.Image]) -> None:
    """Without early ends, boxes, landmarks and probabilities are the plain loop's."""
    plain = MTCNN()
    cascade = mtcnn_cascade(torch.device("cpu"))
    for picture in pictures[:3]:
        boxes, probabilities, points = plain.detect(picture, landmarks=True)
        faces = cascade.find(np.asarray(picture), 20.0, lambda *_: False)
        assert faces is not None
        largest = int(np.argmax(np.prod(faces.boxes[:, 2:] - faces.boxes[:, :2], axis=1)))
        assert len(faces.boxes) == len(boxes)
        assert np.allclose(faces.boxes[largest], boxes[0].astype(float), atol=0.05)
        assert np.allclose(faces.landmarks[largest], points[0].astype(float), atol=0.05)
        assert faces.probabilities[largest] == pytest.approx(float(probabilities[0]), abs=1e-4)


def test_a_picture_without_a_face_is_none_among_others(
    detector: FaceDetector, pictures: list[Image.Image]
) -> None:
    """In a batch, only the empty picture has no face."""
    assert [face is None for face in detector.detect(pictures)] == [False, False, False, True]


def test_nobody_anywhere_is_no_error(detector: FaceDetector) -> None:
    """A batch without any face, and no pictures at all, are answered, not refused."""
    blank = [Image.new("RGB", (64, 64)), Image.new("RGB", (300, 20))]
    assert detector.detect(blank) == [None, None]
    assert detector.detect([]) == []


@pytest.mark.parametrize(
    "size", [(1, 1), (2000, 3), (3, 2000), (11, 11), (23, 400), (8000, 30), (1, 6000)]
)
def test_small_and_thin_pictures_are_too_small(
    detector: FaceDetector, pictures: list[Image.Image], size: tuple[int, int]
) -> None:
    """A picture that no face of `min_face_px` fits into says so, and the others are searched."""
    tiny = Image.new("RGB", size, (200, 180, 170))
    whole = [ReducedPicture(picture, *picture.size) for picture in (tiny, pictures[0])]
    small, found = detector.find(whole)
    assert (small.fault, small.face) == ("too small", None)
    assert found.face is not None


def test_boxes_are_in_pixels_of_the_source(detector: FaceDetector) -> None:
    """A picture enlarged three times has its face at three times the coordinates."""
    person = Image.fromarray(draw_photo(1, 0, 160).photo)
    small, large = detector.detect([person, person.resize((480, 480), Image.Resampling.BICUBIC)])
    assert small is not None
    assert large is not None
    assert overlap(small.scaled(3.0), large) > 0.85


def test_min_face_px_is_in_pixels_of_the_source(detector: FaceDetector) -> None:
    """A reduced picture is judged by its true size: the face counts in the large original only."""
    person = Image.fromarray(draw_photo(1, 0, 160).photo)
    strict = FaceDetector(FACES.model_copy(update={"min_face_px": 150}))
    assert strict.find([ReducedPicture(person, 160, 160)])[0].fault == "too small"
    assert strict.find([ReducedPicture(person, 480, 480)])[0].fault is None


@pytest.mark.parametrize("angle", [-20, 20])
def test_a_tilted_head_is_seen_as_tilted(detector: FaceDetector, angle: int) -> None:
    """The line of the eyes turns with the picture, to within five degrees."""
    person = Image.fromarray(draw_photo(1, 0, 200).photo)
    tilts = []
    for turned in (person, person.rotate(-angle, Image.Resampling.BICUBIC)):
        face: Detection | None = detector.detect([turned])[0]
        assert face is not None
        (x0, y0), (x1, y1) = face.landmarks[:2]
        tilts.append(float(np.degrees(np.arctan2(y1 - y0, x1 - x0))))
    assert tilts[1] - tilts[0] == pytest.approx(angle, abs=5)
