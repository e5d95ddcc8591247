"""The largest face that counts wins; otherwise the reason is told."""

import numpy as np
import pytest
from support.ingestion import FACES, face_at

from portrait_pipeline.faces.detection import Detection, choose_face, overlap


def likely(face: Detection, probability: float) -> Detection:
    return Detection(face.box, face.landmarks, probability)


def test_the_largest_probable_face_wins() -> None:
    """A larger improbable face and a smaller probable one both stand back; the rest is in order."""
    ghost, tall, small = likely(face_at(0, 0, 90), 0.8), face_at(5, 5, 60), face_at(9, 9, 30)
    finding = choose_face([small, ghost, tall], FACES)
    assert finding.face == tall
    assert finding.faces == (tall, small)


@pytest.mark.parametrize(
    ("candidates", "fault"),
    [
        ([], "no face"),
        ([likely(face_at(0, 0, 60), 0.5)], "low probability"),
        ([face_at(0, 0, 10), likely(face_at(0, 0, 60), 0.5)], "too small"),
    ],
)
def test_what_was_wrong_is_told(candidates: list[Detection], fault: str) -> None:
    """Nothing, nothing probable, nothing large: each has its own word, and no face."""
    finding = choose_face(candidates, FACES)
    assert finding.fault == fault
    assert finding.face is None
    assert (finding.detection is None) == (not candidates)


def test_overlap_by_law() -> None:
    """A box overlaps itself wholly, a distant one not at all, and half of it by a third."""
    face = face_at(0, 0, 40)
    assert overlap(face, face) == pytest.approx(1.0)
    assert overlap(face, face_at(50, 0, 40)) == 0.0
    assert overlap(face, face_at(20, 0, 40)) == pytest.approx(1 / 3)


def test_scaling_moves_every_point_alike() -> None:
    """A face in a picture three times as large has every coordinate three times as large."""
    face = face_at(3, 4, 20)
    larger = face.scaled(3.0)
    assert np.allclose(larger.box, np.array(face.box) * 3)
    assert np.allclose(larger.landmarks, np.array(face.landmarks) * 3)
    assert larger.probability == face.probability
