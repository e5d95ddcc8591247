"""Intervals over pictures: how far a number would move with other test pictures.

The percentile bootstrap (Efron and Tibshirani 1993, chapter 13): pictures are drawn with
replacement as often as there are pictures, the statistic is computed anew, and the 2.5 and 97.5
percentiles of many such rounds bound the interval. Shares of yes-or-no answers have
Wilson's interval instead, which keeps its width at 0 and 1.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

LEVEL = 0.95
_NORMAL_95 = 1.959964

Statistic = Callable[[Int64[np.ndarray, " pictures"]], float]
"""A number computed from the pictures at these rows (rows may repeat)."""


@dataclass(frozen=True)
class Interval:
    """A number, the bounds of its 95 % bootstrap interval and the number of pictures behind it."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class PairedDifference:
    """How much two models differ on the same pictures.

    Attributes:
        difference: First minus second, with its interval.
        sentence: What may be concluded, for a reader.
    """

    difference: Interval
    sentence: str


def bootstrap_rows(
    num_pictures: int, num_samples: int, seed: int
) -> Int64[np.ndarray, "samples pictures"]:
    """Draw the rows of every bootstrap round; the same seed gives the same rounds to each model.

    Raises:
        ValueError: if there is no picture.
    """
    if num_pictures < 1:
        raise ValueError("an interval needs at least one picture, got 0")
    generator = np.random.default_rng(seed)
    return generator.integers(0, num_pictures, size=(num_samples, num_pictures))


def bootstrap(statistic: Statistic, num_pictures: int, num_samples: int, seed: int) -> Interval:
    """Compute a statistic of all pictures and its interval.

    Args:
        statistic: Takes rows and returns the number; called once for each round.
        num_pictures: How many pictures there are.
        num_samples: Bootstrap rounds.
        seed: Seeds the rounds.
    """
    rows = bootstrap_rows(num_pictures, num_samples, seed)
    rounds = np.array([statistic(row) for row in rows])
    return interval_of_rounds(statistic(np.arange(num_pictures)), rounds, num_pictures)


def bootstrap_mean(values: Float[np.ndarray, " pictures"], num_samples: int, seed: int) -> Interval:
    """Compute the mean of one value per picture and its interval.

    Raises:
        ValueError: if there is no value or one is not a number.
    """
    clean = _checked(values)
    rounds = _mean_rounds(clean, num_samples, seed)
    return interval_of_rounds(float(clean.mean()), rounds, len(clean))


def wilson_interval(successes: Bool[np.ndarray, " pictures"]) -> Interval:
    """Compute the share of yeses among yes-or-no answers and Wilson's interval.

    The bootstrap of a share of 0 or 1 has no width, whatever the number of pictures; this one has:
    199 of 199 is [0.98, 1] (Wilson 1927; Brown, Cai and DasGupta 2001).

    Raises:
        ValueError: if there is no answer.
    """
    answers = _checked(np.asarray(successes, dtype=np.float64))
    share = float(answers.mean())
    return Interval(share, *wilson_bounds(share, len(answers)), len(answers))


def wilson_bounds(share: float, count: int) -> tuple[float, float]:
    """Bound a share of `count` independent answers by Wilson's 95 % interval, inside [0, 1]."""
    z_squared = _NORMAL_95**2
    centre = share + z_squared / (2 * count)
    half = _NORMAL_95 * np.sqrt(share * (1.0 - share) / count + z_squared / (4 * count**2))
    scale = 1.0 + z_squared / count
    low, high = float((centre - half) / scale), float((centre + half) / scale)
    return min(max(low, 0.0), share), max(min(high, 1.0), share)


def compare_paired(
    first: tuple[str, Float[np.ndarray, " pictures"]],
    second: tuple[str, Float[np.ndarray, " pictures"]],
    metric: str,
    num_samples: int,
    seed: int,
) -> PairedDifference:
    """Compare two models by one value per picture on the same pictures, in the same order.

    The pictures, not the models, are resampled, so that what makes a picture hard for both cancels.

    Args:
        first: Name of a model and its values.
        second: The same of another model.
        metric: What the values are, for the sentence.
        num_samples: Bootstrap rounds.
        seed: Seeds the rounds.

    Raises:
        ValueError: if the two have different numbers of pictures.
    """
    if first[1].shape != second[1].shape:
        raise ValueError(
            f"{first[0]} has {first[1].shape} values, {second[0]} {second[1].shape};"
            " a paired comparison needs the same pictures"
        )
    difference = bootstrap_mean(first[1] - second[1], num_samples, seed)
    return PairedDifference(difference, conclude(first[0], second[0], metric, difference))


def conclude(first: str, second: str, metric: str, difference: Interval) -> str:
    """Say in one sentence what an interval of a difference allows to be said, and no more."""
    bounds = f"95 % interval {difference.low:+.3f} to {difference.high:+.3f}, N = {difference.n}"
    measured = f"{metric}: {first} minus {second} is {difference.value:+.3f} ({bounds})"
    if difference.low > 0.0:
        return f"{measured}, so {first} is higher on pictures like these."
    if difference.high < 0.0:
        return f"{measured}, so {first} is lower on pictures like these."
    return f"{measured}, so these pictures do not tell the two apart."


def _mean_rounds(
    values: Float[np.ndarray, " pictures"], num_samples: int, seed: int
) -> Float64[np.ndarray, " samples"]:
    rows = bootstrap_rows(len(values), num_samples, seed)
    means: Float64[np.ndarray, " samples"] = values[rows].mean(axis=1)
    return means


def interval_of_rounds(
    value: float, rounds: Float[np.ndarray, " samples"], num_pictures: int
) -> Interval:
    """Bound a value by the 2.5 and 97.5 percentiles of its bootstrap rounds."""
    tail = 100.0 * (1.0 - LEVEL) / 2.0
    low, high = np.percentile(rounds, [tail, 100.0 - tail])
    return Interval(value, float(low), float(high), num_pictures)


def _checked(values: Float[np.ndarray, " pictures"]) -> Float64[np.ndarray, " pictures"]:
    clean = np.asarray(values, dtype=np.float64)
    if clean.ndim != 1 or len(clean) == 0 or not np.isfinite(clean).all():
        raise ValueError(
            f"expected one finite value per picture, got shape {clean.shape}"
            f" with {int((~np.isfinite(clean)).sum())} not finite"
        )
    return clean
