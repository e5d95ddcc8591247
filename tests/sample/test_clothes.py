import numpy as np
import pytest
from support.drawn_people import SIZE_PX, average_person

from portrait_pipeline.sample.capture import Capture
from portrait_pipeline.sample.clothes import draw_clothes, draw_period_clothes
from portrait_pipeline.sample.fields import luminance
from portrait_pipeline.sample.figure import empty_figure
from portrait_pipeline.sample.torso import place_torso


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("femininity", [-0.5, 0.5])
def test_clothes_cover_the_lower_part_of_the_picture(
    capture: Capture, seed: int, femininity: float
) -> None:
    """Both kinds of clothes lie below the head, cover the bottom row, and have masks in [0, 1]."""
    person = average_person(femininity=femininity)
    for dress in (draw_clothes, draw_period_clothes):
        figure, torso = empty_figure(SIZE_PX), place_torso(person, capture, SIZE_PX)
        dress(figure, torso, person, np.random.default_rng(seed))
        assert 0.0 <= figure.cover.min() <= figure.cover.max() <= 1.0 + 1e-5
        assert not figure.cover[: torso.window[0].start].any()
        assert figure.cover[-1].mean() > 0.5


def test_period_clothes_are_darker(capture: Capture) -> None:
    """On average the cloth of paintings has less light than that of photos."""
    person, light = average_person(femininity=-0.5), {}
    for dress in (draw_clothes, draw_period_clothes):
        of_all = []
        for seed in range(12):
            figure, torso = empty_figure(SIZE_PX), place_torso(person, capture, SIZE_PX)
            dress(figure, torso, person, np.random.default_rng(seed))
            of_all.append(luminance(figure.colour)[figure.cloth > 0.9].mean())
        light[dress] = np.mean(of_all)
    assert light[draw_period_clothes] < 0.5 * light[draw_clothes]
