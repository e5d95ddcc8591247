import numpy as np
import pytest
from support.drawn_people import SIZE_PX, average_person, changed, lit_face

from portrait_pipeline.sample.capture import Capture, Pose
from portrait_pipeline.sample.ears import draw_ears, draw_glasses
from portrait_pipeline.sample.figure import empty_figure
from portrait_pipeline.sample.person import make_sitter


def test_two_ears_and_the_far_one_is_narrower(capture: Capture) -> None:
    """Straight ahead both ears cover about as much; turned, one covers less than the other."""
    sitter = make_sitter(average_person(), capture)
    halves = {}
    for yaw in (0.0, 0.4):
        figure = empty_figure(SIZE_PX)
        draw_ears(figure, sitter, Pose(yaw, 0.0, 0.0, 0.0, 0.0, 0.6))
        middle = SIZE_PX // 2
        halves[yaw] = figure.cover[:, :middle].sum(), figure.cover[:, middle:].sum()
    assert halves[0.0][0] == pytest.approx(halves[0.0][1], rel=0.05)
    assert max(halves[0.4]) > 1.5 * min(halves[0.4]) > 0.0


@pytest.mark.parametrize(("glasses", "drawn"), [(0.5, False), (0.8, True), (0.95, True)])
def test_glasses_are_for_those_who_wear_them(capture: Capture, glasses: float, drawn: bool) -> None:
    """Frames change the picture around the eyes, and only where the trait says so."""
    face, sitter = lit_face(average_person(glasses=glasses), capture)
    before = face.picture.copy()
    draw_glasses(face, sitter)
    where = changed(face, before)
    assert where.any() == drawn
    assert not where[np.abs(face.seen.y - sitter.at.eye_y) > 0.5].any()
