"""Choices of pictures: drawn by a seed."""

import numpy as np
import pytest

from portrait_pipeline.scoring.draws import derangements, random_subsets


@pytest.mark.parametrize("count", [2, 3, 12])
def test_nobody_keeps_a_place(count: int) -> None:
    """Every order moves every row, and the orders differ where they can."""
    orders = derangements(count, 8, seed=0)
    assert not (orders == np.arange(count)).any()
    assert (np.sort(orders, axis=1) == np.arange(count)).all()
    assert count == 2 or len({tuple(order) for order in orders}) > 1


def test_one_picture_has_no_other() -> None:
    """A single row cannot be paired with another."""
    with pytest.raises(ValueError, match="expected at least 2"):
        derangements(1, 8, seed=0)


def test_subsets_hold_no_row_twice() -> None:
    """Each subset is drawn without replacement, and they differ."""
    subsets = random_subsets(20, 6, 8, seed=0)
    assert all(len(set(subset)) == 6 for subset in subsets)
    assert len({tuple(subset) for subset in subsets}) == 8
