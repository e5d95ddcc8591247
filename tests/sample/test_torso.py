import numpy as np
import pytest
from support.drawn_people import SIZE_PX, average_person

from portrait_pipeline.sample.capture import Capture
from portrait_pipeline.sample.fields import linear
from portrait_pipeline.sample.figure import empty_figure
from portrait_pipeline.sample.skin import skin_colours
from portrait_pipeline.sample.torso import (
    drape,
    draw_neck,
    neck_opening,
    place_torso,
    shoulder_line,
)


def test_a_neck_is_skin_below_the_head(capture: Capture) -> None:
    """The neck covers part of the rows of the torso and counts as skin, nothing above them."""
    person = average_person()
    figure, torso = empty_figure(SIZE_PX), place_torso(person, capture, SIZE_PX)
    draw_neck(figure, torso, skin_colours(person))
    assert figure.face.max() > 0.99
    assert not figure.cover[: torso.window[0].start].any()


def test_shoulders_fall_to_both_sides(capture: Capture) -> None:
    """Away from the neck the shoulder line only gets lower, on both sides alike."""
    torso = place_torso(average_person(), capture, SIZE_PX)
    line, u = shoulder_line(torso)[-1], np.broadcast_to(torso.u, torso.v.shape)[-1]
    right = np.argsort(np.abs(u))
    assert (np.diff(line[right]) >= -1e-5).all()


@pytest.mark.parametrize("pointed", [True, False])
def test_a_neck_opening_is_in_the_middle(capture: Capture, pointed: bool) -> None:
    """Skin shows under the throat; far to the side and far below there is cloth."""
    torso = place_torso(average_person(), capture, SIZE_PX)
    opening = neck_opening(torso, 0.9, 0.5, pointed=pointed)
    assert opening[np.hypot(torso.u, torso.v - 0.25) < 0.1].min() > 0.0
    assert opening[(np.abs(torso.u) > 0.6) & (torso.v > 0.3)].max() < 0.0


def test_cloth_is_lit_and_has_folds(capture: Capture, rng: np.random.Generator) -> None:
    """Draped cloth has light everywhere and is not of one tone."""
    torso = place_torso(average_person(), capture, SIZE_PX)
    cloth = drape(torso, linear(0.4, 0.4, 0.4), rng)
    assert cloth.min() >= 0.0
    assert cloth.std() > 0.005
