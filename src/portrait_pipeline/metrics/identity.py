"""Is the person still there? Measures over the embeddings of photographs and their portraits.

Every function takes two arrays of descriptors in the same order: row i of `portraits` was made from
the photograph in row i of `photos`. Similarities are cosines of descriptors as a judge gives them
(for the geometry judge they are already standardised, so one definition holds for all). Controls
are the same functions on other rows: the photos themselves, portraits in shuffled order, the
reconstructions F(G(x)), the painted twins.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from portrait_pipeline.metrics.intervals import Interval, bootstrap, bootstrap_mean

Descriptors = Float[np.ndarray, "pictures dim"]
Similarities = Float64[np.ndarray, "portraits photos"]


def similarity_matrix(portraits: Descriptors, photos: Descriptors) -> Similarities:
    """Compute the cosine, in [-1, 1], of every portrait (row) with every photo (column).

    Raises:
        ValueError: if the two differ in shape, are empty, or hold a vector of length zero.
    """
    if portraits.shape != photos.shape or portraits.ndim != 2 or len(portraits) == 0:
        raise ValueError(
            f"portraits have shape {portraits.shape}, photos {photos.shape};"
            " expected the same pictures in the same order"
        )
    similarities: Similarities = _unit(portraits) @ _unit(photos).T
    return similarities


def pair_similarities(portraits: Descriptors, photos: Descriptors) -> Float64[np.ndarray, " n"]:
    """Compute the cosine of each portrait with its own photo: one value per picture."""
    return np.diagonal(similarity_matrix(portraits, photos)).copy()


def identity_similarity(
    portraits: Descriptors, photos: Descriptors, num_samples: int, seed: int
) -> Interval:
    """Average the cosine of portrait and photo over pictures; 1 is the same face, 0 a stranger's.

    Not to be confused with CycleGAN's identity mapping, which concerns portraits fed to G.
    """
    return bootstrap_mean(pair_similarities(portraits, photos), num_samples, seed)


def ranks(similarities: Similarities) -> Int64[np.ndarray, " portraits"]:
    """Find the place of the right photo among all, 1 being first; ties count against it."""
    own = np.diagonal(similarities)[:, None]
    return np.asarray((similarities >= own).sum(axis=1), dtype=np.int64)


def rank_share(
    portraits: Descriptors, photos: Descriptors, rank: int, num_samples: int, seed: int
) -> Interval:
    """Compute how often the right photo is among the `rank` most similar of all N test photos.

    In [0, 1]; chance is rank / N, so it must not be compared across test sets of different size.
    The gallery stays whole in every bootstrap round: the portraits searched with are resampled.
    """
    found = ranks(similarity_matrix(portraits, photos)) <= rank
    return bootstrap_mean(found.astype(np.float64), num_samples, seed)


def true_accept_rate(
    portraits: Descriptors,
    photos: Descriptors,
    num_samples: int,
    seed: int,
    false_accept_rate: float = 0.01,
) -> Interval:
    """Compute the share of portraits accepted as their photo when 1 % of strangers are.

    The impostors are all portraits of the same set with all photos that are not their own: they
    show the same style, so that a threshold cannot be passed by looking painted. The threshold is
    set anew in every bootstrap round, from the pictures drawn in it. In [0, 1]; chance is
    `false_accept_rate`.

    Raises:
        ValueError: if there are fewer than two pictures, hence no impostor.
    """
    similarities = similarity_matrix(portraits, photos)
    if len(similarities) < 2:
        raise ValueError("a false accept rate needs at least two pictures, got 1")
    own = np.diagonal(similarities)
    impostors = _Impostors.of(similarities)

    def rate(rows: Int64[np.ndarray, " pictures"]) -> float:
        drawn = np.bincount(rows, minlength=len(own))
        return float((own[rows] > impostors.threshold(drawn, false_accept_rate)).mean())

    return bootstrap(rate, len(own), num_samples, seed)


def found_share(found: Bool[np.ndarray, " pictures"], num_samples: int, seed: int) -> Interval:
    """Average a yes or no per portrait (was a face found?) with its interval; in [0, 1]."""
    return bootstrap_mean(np.asarray(found, dtype=np.float64), num_samples, seed)


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


def _unit(vectors: Descriptors) -> Float64[np.ndarray, "pictures dim"]:
    wide = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths == 0.0).any():
        raise ValueError("a descriptor has length zero or is not a number, so it has no direction")
    unit: Float64[np.ndarray, "pictures dim"] = wide / lengths
    return unit
