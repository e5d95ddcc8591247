from dataclasses import replace

import numpy as np
from support.drawn_people import SIZE_PX, average_person

from portrait_pipeline.sample.capture import Capture
from portrait_pipeline.sample.person import draw_person, make_sitter


def test_a_person_covers_the_middle_and_leaves_the_corners(capture: Capture) -> None:
    """The head is opaque, the upper corners stay background, the face is in the middle."""
    centred = replace(capture, pose=replace(capture.pose, centre_x=0.0, centre_y=0.0))
    figure = draw_person(average_person(), centred, np.random.default_rng(0), SIZE_PX, period=False)
    middle = SIZE_PX // 2
    assert figure.cover[middle, middle] > 0.99
    assert figure.face[middle, middle] > 0.99
    assert figure.cover[0, 0] == 0.0
    assert figure.cover.max() <= 1.0 + 1e-5
    assert np.isfinite(figure.colour).all()


def test_clothes_are_the_only_chance(capture: Capture) -> None:
    """With another generator the face stays as it was; the clothes may differ."""
    first, second = (
        draw_person(average_person(), capture, np.random.default_rng(seed), SIZE_PX, period=False)
        for seed in (0, 5)
    )
    face = (first.face > 0.99) & (second.face > 0.99)
    eyes = slice(0, SIZE_PX // 2)
    np.testing.assert_array_equal(
        first.colour[:, eyes][:, face[eyes]], second.colour[:, eyes][:, face[eyes]]
    )
    assert not np.array_equal(first.colour, second.colour)


def test_a_sitter_keeps_person_and_expression(capture: Capture) -> None:
    """What the person is and what the picture adds meet unchanged."""
    person = average_person(age=0.5)
    sitter = make_sitter(person, capture)
    assert sitter.person is person
    assert sitter.face is capture.expression
    assert sitter.pitch == capture.pose.pitch
