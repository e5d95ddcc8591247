"""Is the person still there? The cosine of a judge's descriptors of portrait and photograph."""

import numpy as np
from jaxtyping import Float64

from portrait_pipeline.metrics.helpers.descriptors import Descriptors, similarity_matrix
from portrait_pipeline.metrics.helpers.intervals import Interval, bootstrap_mean


def pair_similarities(portraits: Descriptors, photos: Descriptors) -> Float64[np.ndarray, " n"]:
    """Compute the cosine of each portrait with its own photo: one value per picture."""
    return np.diagonal(similarity_matrix(portraits, photos)).copy()


def identity_similarity(
    portraits: Descriptors, photos: Descriptors, num_samples: int, seed: int
) -> Interval:
    """Average the cosine of portrait and photo over pictures; 1 is the same face, 0 a stranger's.

    Not to be confused with CycleGAN's identity mapping, which concerns paintings fed to G.
    """
    return bootstrap_mean(pair_similarities(portraits, photos), num_samples, seed)
