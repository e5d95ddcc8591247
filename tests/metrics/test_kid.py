"""Laws of the kernel distance: zero for sets of one kind, unbiased, blind to order."""

import numpy as np
import pytest
import torch
from torch import Tensor

from portrait_pipeline.metrics.kid import kid_of_features, kid_pseudovalues


def features(count: int, seed: int, shift: float = 0.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 12, generator=generator) + shift


def test_alike_sets_are_at_zero_and_others_further_away() -> None:
    """Two sets of one kind lie about 0, and the distance grows with the difference."""
    paintings = features(60, seed=0)
    same, near, far = (
        kid_of_features(features(60, seed, shift), paintings, 0)
        for seed, shift in ((1, 0.0), (2, 0.3), (3, 0.8))
    )
    assert same.low < 0.0 < same.high
    assert same.value < near.value < far.value
    assert far.low > 0.0
    assert far.n == 60


def test_is_the_estimate_of_torchmetrics_on_the_whole_sets() -> None:
    """The value is torchmetrics' unbiased estimate from everything, and lies in its interval."""
    from torchmetrics.image.kid import poly_mmd  # noqa: PLC0415

    a, b = features(40, seed=4, shift=0.5), features(40, seed=5)
    result = kid_of_features(a, b, 0)
    assert result.value == pytest.approx(1000.0 * float(poly_mmd(a, b)), rel=1e-4)
    assert result.low < result.value < result.high


def test_sets_of_any_size_have_the_same_expectation() -> None:
    """The mean over many small sets is the distance of large ones: the estimate has no bias."""
    b = features(400, seed=6)
    small = [kid_of_features(features(8, seed, 0.4), b, 0).value for seed in range(100, 400)]
    large = kid_of_features(features(2000, seed=7, shift=0.4), b, 0).value
    assert np.mean(small) == pytest.approx(large, rel=0.1)


def test_the_interval_is_as_wide_as_sets_scatter() -> None:
    """Over many pairs of fresh sets, the true distance lies in about 95 % of the intervals."""
    truth = kid_of_features(features(3000, 8, 0.3), features(3000, 9), 0).value
    held = []
    for seed in range(100):
        found = kid_of_features(features(40, 2 * seed, 0.3), features(40, 2 * seed + 1), 0)
        held.append(found.low <= truth <= found.high)
    assert 0.88 <= np.mean(held) <= 1.0


def test_order_does_not_matter_and_seed_decides_the_halves_alone() -> None:
    """Pictures in another order have the same distance; another seed has other halves only."""
    a, b = features(12, seed=10), features(15, seed=11)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    first, other = kid_of_features(a, b, 1), kid_of_features(a[order], b, 2)
    assert first.value == pytest.approx(other.value, abs=1e-9)
    assert first == kid_of_features(a, b, 1)
    assert first.low != other.low


def test_what_does_not_fit_is_refused() -> None:
    """Sets too small for halves, and features of two networks, raise."""
    with pytest.raises(ValueError, match="expected 4 or more"):
        kid_of_features(features(3, seed=9), features(5, seed=9), 0)
    with pytest.raises(ValueError, match="expected those of one network"):
        kid_of_features(features(5, seed=9), features(5, seed=9)[:, :4], 0)


def test_pseudovalues_average_to_the_distance_and_scatter_as_it_does() -> None:
    """Their mean is the distance, and their standard error that over many fresh first sets."""
    b = features(200, seed=12)
    found = [kid_pseudovalues(features(60, seed, 0.4), b) for seed in range(200, 400)]
    distances = [kid_of_features(features(60, seed, 0.4), b, 0).value for seed in (200, 201)]
    assert [values.mean() for values in found[:2]] == pytest.approx(distances)
    scatter = np.std([values.mean() for values in found])
    error = np.mean([values.std() / np.sqrt(60) for values in found])
    assert error == pytest.approx(scatter, rel=0.2)


def test_a_pseudovalue_is_what_one_picture_adds() -> None:
    """By hand: twice its mean kernel with the others of its set less that with the paintings.

    The kernel of a picture with itself, which is large for a few bright pictures, does not count.
    """
    a, b = features(5, seed=13), features(4, seed=14)
    a[0] *= 4.0

    def kernel(x: Tensor, y: Tensor) -> float:
        return float((x @ y / 12 + 1.0) ** 3)

    pulls = [
        np.mean([kernel(one, two) for j, two in enumerate(a) if j != i])
        - np.mean([kernel(one, painting) for painting in b])
        for i, one in enumerate(a)
    ]
    expected = 2000.0 * (np.array(pulls) - np.mean(pulls))
    found = kid_pseudovalues(a, b)
    np.testing.assert_allclose(found - found.mean(), expected, rtol=1e-4, atol=1e-3)
