"""Answers are kept by what a crop shows."""

import numpy as np
from support.stand_in_reference import Counting, drawn

from portrait_pipeline.scoring.memoised import Memoised


def test_it_answers_as_the_function_does() -> None:
    """Rows in any order, repeated or new, get the very answers of the wrapped function."""
    crops, inner = drawn(0), Counting()
    remembering = Memoised(inner, "describing")
    rows = [3, 0, 3, 7]
    np.testing.assert_array_equal(remembering(crops[rows]), Counting()(crops[rows]))
    np.testing.assert_array_equal(remembering(crops), Counting()(crops))
    assert inner.seen == len(crops)


def test_no_crops_are_no_answers() -> None:
    """An empty set is handed on."""
    assert Memoised(Counting(), "describing")(drawn(0)[:0]).shape[0] == 0
