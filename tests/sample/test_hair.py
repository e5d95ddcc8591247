import numpy as np
import pytest
from support.drawn_people import SIZE_PX, average_person

from portrait_pipeline.sample.capture import Capture
from portrait_pipeline.sample.hair import draw_hair
from portrait_pipeline.sample.lighting import turn_light


@pytest.mark.parametrize("hair_cut", [-0.95, -0.3, 0.2, 0.9])
@pytest.mark.parametrize("femininity", [-0.5, 0.5])
def test_hair_masks_fit_together(capture: Capture, hair_cut: float, femininity: float) -> None:
    """Masks lie in [0, 1]; what hangs before the face is part of all hair."""
    person = average_person(hair_cut=hair_cut, femininity=femininity)
    lamps = turn_light(capture.light, capture.pose)
    hair = draw_hair(person, capture.pose, lamps, SIZE_PX)
    for mask in (hair.behind, hair.front, hair.shadow):
        assert mask.min() >= 0.0
        assert mask.max() <= 1.0 + 1e-6
    assert (hair.front <= hair.behind + 1e-6).all()
    assert hair.colour.shape == (3, *hair.behind.shape)


def test_long_hair_covers_more_than_a_shaven_head(capture: Capture) -> None:
    """The first haircut of men shows only skin; the first of women hangs far down."""
    lamps = turn_light(capture.light, capture.pose)
    shaven, long = (
        draw_hair(
            average_person(hair_cut=-1.0, femininity=sign), capture.pose, lamps, SIZE_PX
        ).behind.sum()
        for sign in (-0.5, 0.5)
    )
    assert shaven == 0.0
    assert long > 500.0


def test_a_person_has_the_same_hair_again(capture: Capture) -> None:
    """Strands come from the person's own generator, not from the picture's."""
    person, lamps = average_person(hair_cut=0.3), turn_light(capture.light, capture.pose)
    first, second = (draw_hair(person, capture.pose, lamps, SIZE_PX) for _ in range(2))
    np.testing.assert_array_equal(first.colour, second.colour)
