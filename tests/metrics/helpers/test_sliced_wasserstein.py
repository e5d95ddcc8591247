"""The sliced distance against values worked out by hand and against scipy."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from portrait_pipeline.metrics.helpers.sliced_wasserstein import (
    bootstrap_distances,
    random_directions,
    sliced_distance,
)


def cloud(num_pictures: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.standard_normal((num_pictures, 8, 2)).astype(np.float32)


def test_directions_have_length_one() -> None:
    """Every direction is a unit vector."""
    directions = random_directions(5, 64, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(directions, axis=0), 1.0, rtol=1e-6)


def test_a_shift_along_the_direction_is_the_distance() -> None:
    """Points moved by 0.5 along every direction's axis are at distance 0.5."""
    directions = np.repeat(np.array([[1.0], [0.0]], dtype=np.float32), 64, axis=1)
    a = cloud(3, seed=0)
    assert sliced_distance(a, a + np.float32([0.5, 9.0]), directions) == pytest.approx(0.5)


def test_agrees_with_scipy_along_each_direction() -> None:
    """Of equal numbers of points it is scipy's distance, averaged over directions."""
    a, b = cloud(6, seed=1), 1.5 * cloud(6, seed=2)
    directions = random_directions(2, 64, np.random.default_rng(1))
    flat_a, flat_b = a.reshape(-1, 2) @ directions, b.reshape(-1, 2) @ directions
    expected = np.mean([wasserstein_distance(flat_a[:, k], flat_b[:, k]) for k in range(64)])
    assert sliced_distance(a, b, directions) == pytest.approx(expected, rel=1e-5)


def test_unequal_numbers_come_close_to_scipy() -> None:
    """A larger set thinned to the quantiles of the smaller moves the distance by little."""
    a, b = cloud(40, seed=3), 1.5 * cloud(90, seed=4)
    directions = random_directions(2, 64, np.random.default_rng(2))
    flat_a, flat_b = a.reshape(-1, 2) @ directions, b.reshape(-1, 2) @ directions
    expected = np.mean([wasserstein_distance(flat_a[:, k], flat_b[:, k]) for k in range(64)])
    assert sliced_distance(a, b, directions) == pytest.approx(expected, rel=0.02)


def test_bootstrap_rounds_are_distances_of_drawn_sets() -> None:
    """The tabulated rounds spread as widely as rounds computed by drawing and sorting."""
    a, b = cloud(30, seed=5), 0.5 + cloud(30, seed=6)
    directions = random_directions(2, 64, np.random.default_rng(3))
    tabulated = bootstrap_distances(a @ directions, b @ directions, 300, seed=0)
    generator = np.random.default_rng(7)
    drawn = [
        sliced_distance(
            a[generator.integers(0, 30, 30)], b[generator.integers(0, 30, 30)], directions
        )
        for _ in range(300)
    ]
    assert tabulated.mean() == pytest.approx(np.mean(drawn), rel=0.05)
    assert tabulated.std() == pytest.approx(np.std(drawn), rel=0.2)
