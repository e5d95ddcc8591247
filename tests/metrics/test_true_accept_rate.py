"""Judging by embeddings: a photo is itself, strangers are at chance, ties count against."""

import numpy as np
import pytest

from portrait_pipeline.metrics.helpers.descriptors import similarity_matrix
from portrait_pipeline.metrics.helpers.intervals import bootstrap_rows
from portrait_pipeline.metrics.identity_similarity import identity_similarity, pair_similarities
from portrait_pipeline.metrics.rank import rank_rate, ranks
from portrait_pipeline.metrics.true_accept_rate import bootstrapped_accept_rate, true_accept_rate

RNG = np.random.default_rng(0)
PHOTOS = RNG.normal(size=(200, 32))
PORTRAITS = PHOTOS + 1.2 * RNG.normal(size=PHOTOS.shape)
STRANGERS = RNG.normal(size=(200, 32))
FEW = {"num_samples": 200, "seed": 0}


def test_the_photo_itself_is_the_upper_bound() -> None:
    """Cosine 1, found first, and every picture accepted."""
    assert identity_similarity(PHOTOS, PHOTOS, **FEW).value == pytest.approx(1.0)
    assert rank_rate(PHOTOS, PHOTOS, 1).value == 1.0
    assert true_accept_rate(PHOTOS, PHOTOS, **FEW).value == 1.0


def test_strangers_are_at_chance() -> None:
    """Cosine 0, rank-k at k/N, and as many accepted as false ones are allowed."""
    assert identity_similarity(STRANGERS, PHOTOS, **FEW).value == pytest.approx(0.0, abs=0.05)
    assert rank_rate(STRANGERS, PHOTOS, 1).value <= 0.02
    assert rank_rate(STRANGERS, PHOTOS, 100).value == pytest.approx(0.5, abs=0.1)
    assert true_accept_rate(STRANGERS, PHOTOS, **FEW).value <= 0.03


def test_portraits_lie_between() -> None:
    """A portrait with noise scores below the photo and above a stranger; rank-5 above rank-1."""
    similarity = identity_similarity(PORTRAITS, PHOTOS, **FEW)
    assert 0.3 < similarity.low < similarity.value < similarity.high < 0.9
    first, fifth = (rank_rate(PORTRAITS, PHOTOS, rank).value for rank in (1, 5))
    assert 0.05 < first < fifth <= 1.0
    assert first <= true_accept_rate(PORTRAITS, PHOTOS, **FEW).value


def test_by_hand() -> None:
    """Three pictures in the plane: cosines, ranks and shares worked out on paper."""
    photos = np.array([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0]])
    portraits = np.array([[1.0, 1.0], [5.0, 0.0], [-1.0, 0.0]])
    half = 1 / np.sqrt(2)
    expected = [[half, half, -half], [1.0, 0.0, -1.0], [-1.0, 0.0, 1.0]]
    matrix = similarity_matrix(portraits, photos)
    np.testing.assert_allclose(matrix, expected, atol=1e-12)
    np.testing.assert_allclose(pair_similarities(portraits, photos), [half, 0.0, 1.0], atol=1e-12)
    np.testing.assert_array_equal(ranks(np.array(expected)), [2, 2, 1])  # the tie counts against
    assert rank_rate(portraits, photos, 1).value == pytest.approx(1 / 3)


def test_length_does_not_matter() -> None:
    """Cosines see directions alone."""
    np.testing.assert_allclose(
        similarity_matrix(PORTRAITS * 7.0, PHOTOS * 0.1), similarity_matrix(PORTRAITS, PHOTOS)
    )


def test_order_of_pictures_does_not_matter() -> None:
    """All pictures in another order, pairs kept, give the same numbers."""
    order = np.random.default_rng(1).permutation(len(PHOTOS))
    for measure in (
        lambda a, b: true_accept_rate(a, b, **FEW).value,
        lambda a, b: rank_rate(a, b, 5).value,
    ):
        assert measure(PORTRAITS[order], PHOTOS[order]) == measure(PORTRAITS, PHOTOS)


def strictest(matrix: np.ndarray, strangers: np.ndarray, rate: float) -> float:
    """Try every stranger's similarity as the threshold; count the pairs above the least."""
    impostors = matrix[strangers]
    allowed = [value for value in np.unique(impostors) if (impostors > value).mean() <= rate]
    return float((np.diagonal(matrix) > min(allowed)).mean())


@pytest.mark.parametrize("rate", [0.01, 0.1])
def test_the_threshold_lets_no_more_strangers_in(rate: float) -> None:
    """The true accept rate is the one at the smallest threshold that keeps to the false rate."""
    matrix = similarity_matrix(PORTRAITS[:40], PHOTOS[:40])
    expected = strictest(matrix, ~np.eye(40, dtype=bool), rate)
    found = true_accept_rate(PORTRAITS[:40], PHOTOS[:40], false_accept_rate=rate, **FEW)
    assert found.value == expected


def test_every_round_sets_its_own_threshold() -> None:
    """A bootstrap round equals the plain computation on the pictures that were drawn."""
    rows = bootstrap_rows(40, 1, 0)[0]
    matrix = similarity_matrix(PORTRAITS[:40], PHOTOS[:40])[np.ix_(rows, rows)]
    expected = strictest(matrix, rows[:, None] != rows[None, :], 0.01)
    interval = bootstrapped_accept_rate(PORTRAITS[:40], PHOTOS[:40], num_samples=1, seed=0)
    assert interval.low == interval.high == pytest.approx(expected)


def test_bad_descriptors_are_refused() -> None:
    """Other pictures, one picture alone, and vectors without a direction are errors."""
    with pytest.raises(ValueError, match="same pictures in the same order"):
        similarity_matrix(PORTRAITS[:3], PHOTOS)
    with pytest.raises(ValueError, match="at least two pictures"):
        true_accept_rate(PORTRAITS[:1], PHOTOS[:1], **FEW)
    with pytest.raises(ValueError, match="length zero"):
        similarity_matrix(np.zeros((2, 3)), np.ones((2, 3)))


def test_certainty_needs_many_pictures() -> None:
    """Every photo is accepted as itself and found first, yet the intervals keep a width."""
    few = PHOTOS[:20]
    for found in (true_accept_rate(few, few, **FEW), rank_rate(few, few, 1)):
        assert (found.value, found.high) == (1.0, 1.0)
        assert 0.80 < found.low < 0.86
