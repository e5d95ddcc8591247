from collections.abc import Callable

import numpy as np
import pytest

from portrait_pipeline.sample.backdrop import draw_ground, draw_place

Draw = Callable[[np.random.Generator, int], np.ndarray]


@pytest.mark.parametrize("draw", [draw_place, draw_ground])
@pytest.mark.parametrize("seed", range(8))
def test_a_background_is_light_everywhere(draw: Draw, seed: int) -> None:
    """Linear RGB of the size asked for, never negative, and a function of the generator alone."""
    picture = draw(np.random.default_rng(seed), 80)
    assert picture.shape == (3, 80, 80)
    assert picture.min() >= 0.0
    assert picture.std() > 0.0
    np.testing.assert_array_equal(picture, draw(np.random.default_rng(seed), 80))


def test_grounds_of_paintings_are_darker_than_places() -> None:
    """On average a painting's ground has less than half of the light of a photo's background."""
    places = np.mean([draw_place(np.random.default_rng(seed), 48).mean() for seed in range(30)])
    grounds = np.mean([draw_ground(np.random.default_rng(seed), 48).mean() for seed in range(30)])
    assert grounds < 0.5 * places
