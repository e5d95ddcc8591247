import numpy as np
import pytest
from support.drawn_people import average_person, changed, lit_face

from portrait_pipeline.sample.beard import beard_mask, draw_beard, wears_beard
from portrait_pipeline.sample.capture import Capture


@pytest.mark.parametrize(
    ("femininity", "beard", "expected"),
    [(-0.5, 0.5, True), (-0.5, -0.5, False), (0.5, 0.5, False), (0.5, -0.5, False)],
)
def test_who_wears_a_beard(femininity: float, beard: float, expected: bool) -> None:
    """Men whose trait says so have a beard, and only their face is drawn over."""
    assert wears_beard(average_person(femininity=femininity, beard=beard)) is expected


@pytest.mark.parametrize("beard", [0.0, 0.3, 0.5, 0.9])
def test_beards_grow_below_the_eyes(capture: Capture, beard: float) -> None:
    """A beard covers part of the lower face, nothing above the eyes; its mask lies in [0, 1]."""
    face, sitter = lit_face(average_person(femininity=-0.5, beard=beard), capture)
    mask = beard_mask(sitter.person, sitter.at, face.seen)
    assert 0.0 <= mask.min() <= mask.max() <= 1.0
    before = face.picture.copy()
    draw_beard(face, sitter)
    drawn = changed(face, before)
    assert drawn.any()
    assert not drawn[face.seen.y < sitter.at.eye_y].any()


def test_a_shaven_face_is_left_alone(capture: Capture) -> None:
    """Without a beard not a pixel changes."""
    face, sitter = lit_face(average_person(femininity=0.5, beard=0.9), capture)
    before = face.picture.copy()
    draw_beard(face, sitter)
    np.testing.assert_array_equal(face.picture, before)
