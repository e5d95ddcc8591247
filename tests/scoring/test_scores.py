"""Numbers of a whole set: which seed draws what, and shares that keep a width at their ends."""

import numpy as np
import pytest
from support.stand_in_reference import drawn, evaluation, make_reference

from portrait_pipeline.metrics.helpers.intervals import Interval
from portrait_pipeline.scoring.scores import (
    average,
    measure_style,
    score_pictures,
    summarise_pairs,
)

pytestmark = pytest.mark.usefixtures("few_directions")


def distances(**seeds: int) -> dict[str, float]:
    reference = make_reference(settings=evaluation(**seeds))
    return {name: one.value for name, one in measure_style(reference, drawn(3), 1).items()}


def test_patches_have_a_seed_of_their_own() -> None:
    """Law: the bootstrap's seed moves no value of a set; that of the patches moves SWD alone."""
    usual = distances()
    assert distances(seed=5) == pytest.approx(usual, nan_ok=True)
    moved = distances(patch_seed=5)
    assert moved["swd"] != usual["swd"]
    assert (moved["kid"], moved["diversity"]) == (usual["kid"], usual["diversity"])


def test_a_face_in_every_picture_is_no_certainty() -> None:
    """All of 12 have a face: the interval is Wilson's and reaches down to 0.76."""
    reference = make_reference()
    photos = reference.photo_pixels
    found = summarise_pairs(reference, score_pictures(reference, photos), photos)
    for name in ("face_found_share", "rank_1", "true_accept_rate"):
        assert (found[name].value, found[name].high) == (1.0, 1.0)
        assert found[name].low == pytest.approx(0.757, abs=2e-3)


def test_an_average_of_draws_averages_values_and_ends() -> None:
    """Number by number; how many pictures there are stays."""
    draws = [{"swd": Interval(value, value - 1.0, value + 3.0, 7)} for value in (1.0, 2.0, 6.0)]
    assert average(draws) == {"swd": Interval(3.0, 2.0, 6.0, 7)}
    assert np.isnan(average([{"swd": Interval(np.nan, np.nan, np.nan, 7)}])["swd"].value)
