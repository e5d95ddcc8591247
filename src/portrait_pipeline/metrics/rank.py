"""Is the right photograph found again among all others? Closed-set identification."""

import numpy as np
from jaxtyping import Int64

from portrait_pipeline.metrics.helpers.descriptors import (
    Descriptors,
    Similarities,
    similarity_matrix,
)
from portrait_pipeline.metrics.helpers.intervals import Interval, wilson_interval


def ranks(similarities: Similarities) -> Int64[np.ndarray, " portraits"]:
    """Find the place of the right photo among all, 1 being first; ties count against it."""
    own = np.diagonal(similarities)[:, None]
    return np.asarray((similarities >= own).sum(axis=1), dtype=np.int64)


def rank_rate(portraits: Descriptors, photos: Descriptors, rank: int) -> Interval:
    """Compute how often the right photo is among the `rank` most similar of all N test photos.

    In [0, 1], with Wilson's interval for a share; chance is rank / N, so it must not be compared
    across test sets of different size. The interval is over portraits; the gallery is given.
    """
    return wilson_interval(ranks(similarity_matrix(portraits, photos)) <= rank)
