"""Bootstrap intervals: they hold the value, shrink with more pictures, and repeat with the seed."""

import numpy as np
import pytest

from portrait_pipeline.metrics.helpers.intervals import (
    Interval,
    bootstrap,
    bootstrap_mean,
    bootstrap_rows,
    compare_paired,
    conclude,
    wilson_interval,
)

NORMAL = np.random.default_rng(0).normal(3.0, 2.0, size=400)


def test_the_interval_of_a_mean_is_the_textbook_one() -> None:
    """For many values it is the mean ± 1.96 σ/√n within a tenth."""
    interval = bootstrap_mean(NORMAL, num_samples=4000, seed=0)
    half = 1.96 * NORMAL.std() / np.sqrt(len(NORMAL))
    assert interval.value == pytest.approx(NORMAL.mean())
    assert interval.n == 400
    assert interval.high - interval.value == pytest.approx(half, rel=0.1)
    assert interval.value - interval.low == pytest.approx(half, rel=0.1)


def test_equal_values_leave_no_doubt() -> None:
    """Without spread the interval is a point."""
    assert bootstrap_mean(np.full(9, 0.25), 100, 0) == Interval(0.25, 0.25, 0.25, 9)


def test_the_seed_decides() -> None:
    """The same seed gives the same interval, another seed another."""
    assert bootstrap_mean(NORMAL, 200, 7) == bootstrap_mean(NORMAL, 200, 7)
    assert bootstrap_mean(NORMAL, 200, 7) != bootstrap_mean(NORMAL, 200, 8)


def test_any_statistic() -> None:
    """A statistic of rows is computed once on all pictures and once for each round."""
    interval = bootstrap(lambda rows: float(np.median(NORMAL[rows])), 400, 300, 0)
    assert interval.value == np.median(NORMAL)
    assert interval.low < interval.value < interval.high


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [[1.0]]])
def test_bad_values_are_refused(values: list[float]) -> None:
    """No value, or one that is none, is an error and not an average of the rest."""
    with pytest.raises(ValueError, match="one finite value per picture"):
        bootstrap_mean(np.array(values), 100, 0)
    with pytest.raises(ValueError, match="at least one picture"):
        bootstrap_rows(0, 100, 0)


def test_pairing_sees_a_small_difference() -> None:
    """What makes pictures hard for both models cancels: 0.1 shows although pictures differ by 2."""
    other = NORMAL - 0.1 + np.random.default_rng(1).normal(0, 0.05, size=400)
    found = compare_paired(("proposed", NORMAL), ("baseline", other), "similarity", 1000, 0)
    assert found.difference.value == pytest.approx(0.1, abs=0.02)
    assert 0.0 < found.difference.low < found.difference.high
    assert found.sentence.endswith("so proposed is higher on pictures like these.")


def test_swapping_the_models_turns_the_sign() -> None:
    """Antisymmetry, in the numbers and in the words."""
    other = NORMAL + 1.0
    forth = compare_paired(("a", NORMAL), ("b", other), "x", 500, 0)
    back = compare_paired(("b", other), ("a", NORMAL), "x", 500, 0)
    assert forth.difference.value == pytest.approx(-back.difference.value)
    assert forth.sentence.endswith("so a is lower on pictures like these.")
    assert back.sentence.endswith("so b is higher on pictures like these.")


def test_an_interval_across_zero_concludes_nothing() -> None:
    """The sentence names difference, interval and N, and claims no more than they allow."""
    sentence = conclude("a", "b", "rank-1", Interval(0.01, -0.02, 0.04, 50))
    assert sentence == (
        "rank-1: a minus b is +0.010 (95 % interval -0.020 to +0.040, N = 50),"
        " so these pictures do not tell the two apart."
    )
    turned = conclude("b", "a", "rank-1", Interval(-0.01, -0.04, 0.02, 50))
    assert turned.endswith("so these pictures do not tell the two apart.")


def test_other_pictures_are_refused() -> None:
    """Two models are compared on the same pictures."""
    with pytest.raises(ValueError, match="needs the same pictures"):
        compare_paired(("a", NORMAL), ("b", NORMAL[:3]), "x", 100, 0)


@pytest.mark.parametrize(
    ("yeses", "count", "low", "high"),
    [(199, 199, 0.981, 1.0), (0, 40, 0.0, 0.0876), (20, 40, 0.352, 0.648), (1, 1, 0.207, 1.0)],
)
def test_a_share_has_wilson_s_interval(yeses: int, count: int, low: float, high: float) -> None:
    """Worked out by hand; at 0 and 1, where a bootstrap has no width, it keeps one."""
    interval = wilson_interval(np.arange(count) < yeses)
    assert (interval.value, interval.n) == (yeses / count, count)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-3)
    assert interval.low <= interval.value <= interval.high
