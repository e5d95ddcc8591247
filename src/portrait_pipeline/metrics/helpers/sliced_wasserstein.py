"""Wasserstein distance of two clouds of points along random directions (Rabin et al. 2011).

Along a line the Wasserstein distance is the mean difference of sorted values, which is also the
area between the two distribution functions; the average over many directions stands for the cloud.
"""

import numpy as np
from jaxtyping import Float

from portrait_pipeline.metrics.helpers.intervals import bootstrap_rows

DIRECTIONS_AT_ONCE = 64
NUM_BINS = 64


def random_directions(
    num_values: int, num_directions: int, generator: np.random.Generator
) -> Float[np.ndarray, "values directions"]:
    """Draw directions of length one, uniformly over the sphere."""
    directions = generator.standard_normal((num_values, num_directions)).astype(np.float32)
    unit: Float[np.ndarray, "values directions"] = directions / np.linalg.norm(directions, axis=0)
    return unit


def sliced_distance(
    a: Float[np.ndarray, "pictures_a patches values"],
    b: Float[np.ndarray, "pictures_b patches values"],
    directions: Float[np.ndarray, "values directions"],
) -> float:
    """Average the Wasserstein distance of the projections over directions.

    Args:
        a: Points, by the picture that they come from.
        b: Other points, of any number of pictures.
        directions: Unit vectors, one a column; a multiple of 64.
    """
    num_quantiles = min(len(a), len(b)) * a.shape[1]
    num_directions = int(directions.shape[1])
    total = 0.0
    for few in np.split(directions, num_directions // DIRECTIONS_AT_ONCE, axis=1):
        sorted_a = _quantiles(few.T @ a.reshape(-1, a.shape[-1]).T, num_quantiles)
        sorted_b = _quantiles(few.T @ b.reshape(-1, b.shape[-1]).T, num_quantiles)
        total += float(np.abs(sorted_a - sorted_b).mean(dtype=np.float64)) * few.shape[1]
    return total / num_directions


def _quantiles(
    projections: Float[np.ndarray, "directions values"], num_quantiles: int
) -> Float[np.ndarray, "directions quantiles"]:
    """Sort, and thin a larger set to the quantiles of the smaller by linear interpolation."""
    ordered = np.sort(projections, axis=1)
    num_values = ordered.shape[1]
    if num_values == num_quantiles:
        return ordered
    places = (np.arange(num_quantiles) + 0.5) / num_quantiles * num_values - 0.5
    below = np.floor(places).astype(np.int64)
    share = (places - below).astype(np.float32)
    above = np.minimum(below + 1, num_values - 1)
    thinned: Float[np.ndarray, "directions quantiles"] = (
        ordered[:, below] * (1.0 - share) + ordered[:, above] * share
    )
    return thinned


def bootstrap_distances(
    a: Float[np.ndarray, "pictures_a patches directions"],
    b: Float[np.ndarray, "pictures_b patches directions"],
    num_samples: int,
    seed: int,
) -> Float[np.ndarray, " samples"]:
    """Measure the distance for each bootstrap draw of pictures.

    Along one direction the distance is the area between the two distribution functions. Each
    picture's own function is tabulated once, so a draw is a weighted sum instead of a sort.

    Args:
        a: Projections of each picture's patches.
        b: The same of the other set; the pictures of both are drawn anew.
        num_samples: Bootstrap rounds.
        seed: Seeds the rounds.
    """
    low = np.minimum(a.min(axis=(0, 1)), b.min(axis=(0, 1)))
    width = (np.maximum(a.max(axis=(0, 1)), b.max(axis=(0, 1))) - low) / NUM_BINS
    width = np.maximum(width, np.float32(1e-8))
    gaps = _drawn_distributions(a, low, width, num_samples, seed)
    gaps -= _drawn_distributions(b, low, width, num_samples, seed + 1)
    areas = np.abs(gaps).sum(axis=2) * width
    distances: Float[np.ndarray, " samples"] = areas.mean(axis=1)
    return distances


def _drawn_distributions(
    projections: Float[np.ndarray, "pictures patches directions"],
    low: Float[np.ndarray, " directions"],
    width: Float[np.ndarray, " directions"],
    num_samples: int,
    seed: int,
) -> Float[np.ndarray, "samples directions bins"]:
    num_pictures, num_patches, num_directions = projections.shape
    bins = ((projections - low) / width).astype(np.int64).clip(0, NUM_BINS - 1)
    cells = np.arange(num_pictures)[:, None, None] * num_directions + np.arange(num_directions)
    size = num_pictures * num_directions * NUM_BINS
    counts = np.bincount((cells * NUM_BINS + bins).ravel(), minlength=size)
    functions = counts.reshape(num_pictures, num_directions, NUM_BINS).cumsum(axis=2)
    rows = bootstrap_rows(num_pictures, num_samples, seed)
    weights = np.stack([np.bincount(row, minlength=num_pictures) for row in rows])
    table = functions.reshape(num_pictures, -1).astype(np.float32) / num_patches
    drawn = weights.astype(np.float32) @ table / num_pictures
    return np.asarray(drawn.reshape(num_samples, num_directions, NUM_BINS))
