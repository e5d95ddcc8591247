"""Choices of pictures: by what they show and by the seed, never by their names."""

import numpy as np
import pytest
from support.stand_in_reference import NAMES, drawn

from portrait_pipeline.images import FaceSet
from portrait_pipeline.scoring.draws import derangements, random_subsets, shuffled_by_content


def renamed(faces: FaceSet) -> FaceSet:
    """Give the same crops other names, in whose order they stand."""
    order = np.random.default_rng(5).permutation(len(faces))
    return FaceSet(tuple(f"{row:03}_other.png" for row in range(len(faces))), faces[order])


def test_names_do_not_matter_and_the_seed_does() -> None:
    """Renamed crops come in the same order of pictures; another seed gives another order."""
    faces = FaceSet(NAMES, drawn(0))
    first = shuffled_by_content(faces, 0)
    again = shuffled_by_content(renamed(faces), 0)
    np.testing.assert_array_equal(first[range(len(NAMES))], again[range(len(NAMES))])
    assert first.names != shuffled_by_content(faces, 1).names
    assert set(first.names) == set(NAMES)


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
