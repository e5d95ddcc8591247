"""Would a face check let the portrait pass? The true accept rate at a fixed false accept rate."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float64, Int64

from portrait_pipeline.metrics.helpers.descriptors import (
    Descriptors,
    Similarities,
    similarity_matrix,
)
from portrait_pipeline.metrics.helpers.intervals import (
    Interval,
    bootstrap,
    wilson_bounds,
)


def true_accept_rate(
    portraits: Descriptors,
    photos: Descriptors,
    num_samples: int,
    seed: int,
    false_accept_rate: float = 0.01,
) -> Interval:
    """Compute the share of portraits accepted as their photo when 1 % of strangers are.

    The impostors are all portraits of the same set with all photos that are not their own: they
    show the same style, so that a threshold cannot be passed by looking painted. In [0, 1]; chance
    is `false_accept_rate`. The interval holds the bootstrap's, whose rounds set the threshold anew,
    and Wilson's: where every portrait is accepted, every round is 1 and says nothing.

    Raises:
        ValueError: if there are fewer than two pictures, hence no impostor.
    """
    drawn = bootstrapped_accept_rate(portraits, photos, num_samples, seed, false_accept_rate)
    low, high = wilson_bounds(drawn.value, drawn.n)
    return Interval(drawn.value, min(low, drawn.low), max(high, drawn.high), drawn.n)


def bootstrapped_accept_rate(
    portraits: Descriptors,
    photos: Descriptors,
    num_samples: int,
    seed: int,
    false_accept_rate: float = 0.01,
) -> Interval:
    """Compute the same with the bootstrap's interval alone; each round sets its own threshold."""
    similarities = similarity_matrix(portraits, photos)
    if len(similarities) < 2:
        raise ValueError("a false accept rate needs at least two pictures, got 1")
    own = np.diagonal(similarities)
    impostors = _Impostors.of(similarities)

    def rate(rows: Int64[np.ndarray, " pictures"]) -> float:
        drawn = np.bincount(rows, minlength=len(own))
        return float((own[rows] > impostors.threshold(drawn, false_accept_rate)).mean())

    return bootstrap(rate, len(own), num_samples, seed)


@dataclass(frozen=True)
class _Impostors:
    """All pairs of a portrait with a photo not its own, most similar first."""

    similarities: Float64[np.ndarray, " pairs"]
    portraits: Int64[np.ndarray, " pairs"]
    photos: Int64[np.ndarray, " pairs"]

    @classmethod
    def of(cls, similarities: Similarities) -> Self:
        portraits, photos = np.nonzero(~np.eye(len(similarities), dtype=bool))
        values = similarities[portraits, photos]
        order = np.argsort(-values, kind="stable")
        return cls(values[order], portraits[order], photos[order])

    def threshold(self, drawn: Int64[np.ndarray, " pictures"], rate: float) -> float:
        """Find the smallest similarity that at most `rate` of the impostor pairs exceed.

        A pair counts as often as its two pictures were drawn. Only the head of the sorted pairs
        is looked at unless that turns out too short, which keeps a bootstrap round cheap.
        """
        allowed = rate * float(drawn.sum() ** 2 - (drawn**2).sum())
        for head in (int(len(self.similarities) * min(1.0, 8 * rate)), len(self.similarities)):
            weights = drawn[self.portraits[:head]] * drawn[self.photos[:head]]
            place = int(np.searchsorted(np.cumsum(weights), allowed, side="right"))
            if place < head:
                return float(self.similarities[place])
        return float("inf")  # one picture drawn every time: nobody to be mistaken for
