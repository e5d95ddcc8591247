"""Kernel distance between two sets in a network's features (KID; Bińkowski et al. 2018).

The squared maximum mean discrepancy with the kernel (x·y / d + 1)³, estimated without bias. Which
network made the features decides what it sees; this module knows none.
"""

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from portrait_pipeline.metrics.helpers.intervals import Interval

NUM_HALVES = 100
SMALLEST_SET = 4
UNIT = 1000.0
"""Distances are given ×10³, as SWD's are."""

_NORMAL_95 = 1.96

Features = Float[Tensor, "pictures features"]


def kid_of_features(features_a: Features, features_b: Features, seed: int) -> Interval:
    """Measure the distance between two sets of features, a row each; ×10³, lower is closer.

    Unbiased: sets of any size have the same expectation, and a set against others of its kind lies
    about 0, also just below. The order of the pictures does not matter. Halves drawn without
    replacement scatter about the whole as whole sets do about the truth, so 1.96 of the standard
    deviations of 100 of them bound the 95 % interval.

    Raises:
        ValueError: if a set has fewer than four pictures or the features are of two networks.
    """
    kernels = _kernels(features_a, features_b)
    counts = len(features_a), len(features_b)
    generator = np.random.default_rng(seed)
    halves = np.empty(NUM_HALVES)
    for number in range(NUM_HALVES):
        weights = tuple(_half(count, generator) for count in counts)
        halves[number] = _discrepancy(kernels, weights)
    value = _discrepancy(kernels, (np.ones(counts[0]), np.ones(counts[1])))
    half_width = _NORMAL_95 * float(halves.std(ddof=1))
    return Interval(value, value - half_width, value + half_width, min(counts))


def kid_pseudovalues(features_a: Features, features_b: Features) -> Float64[np.ndarray, " a"]:
    """Spread the distance over the pictures of the first set, to compare two sets in pairs.

    Their mean is the distance. Their scatter is that of the estimate over pictures of the first set
    (the influence function of MMD²), so a paired bootstrap of the difference of two models' values
    bounds the difference of their distances; the second set, the paintings, is taken as given.

    Raises:
        ValueError: as `kid_of_features`.
    """
    within, within_b, between = kernels = _kernels(features_a, features_b)
    others = (within.sum(axis=1) - within.diagonal()) / (len(within) - 1.0)
    pull = others - between.mean(axis=1)
    marks = np.ones(len(within)), np.ones(len(within_b))
    return np.asarray(_discrepancy(kernels, marks) + 2.0 * UNIT * (pull - pull.mean()))


def no_kid(num_pictures: int) -> Interval:
    """Return what stands in a table where KID could not be measured."""
    return Interval(np.nan, np.nan, np.nan, num_pictures)


def _kernels(
    features_a: Features, features_b: Features
) -> tuple[Float64[np.ndarray, "rows columns"], ...]:
    """Compute the kernel within both sets and between them."""
    smallest = min(len(features_a), len(features_b))
    if smallest < SMALLEST_SET:
        raise ValueError(f"a set has {smallest} pictures, expected {SMALLEST_SET} or more")
    if features_a.shape[1] != features_b.shape[1]:
        raise ValueError(
            f"features_a has {features_a.shape[1]} values a picture, features_b"
            f" {features_b.shape[1]}; expected those of one network"
        )
    a, b = features_a.to(torch.float64), features_b.to(torch.float64)
    return tuple(_kernel(x, y).numpy() for x, y in ((a, a), (b, b), (a, b)))


def _kernel(a: Tensor, b: Tensor) -> Float64[Tensor, "rows columns"]:
    return (a @ b.T / a.shape[1] + 1.0) ** 3


def _half(count: int, generator: np.random.Generator) -> Float64[np.ndarray, " pictures"]:
    """Mark a random half of the pictures with 1, the others with 0."""
    marks = np.zeros(count)
    marks[generator.permutation(count)[: count // 2]] = 1.0
    return marks


def _discrepancy(
    kernels: tuple[Float64[np.ndarray, "rows columns"], ...],
    marks: tuple[Float64[np.ndarray, " pictures"], ...],
) -> float:
    """Estimate MMD², ×10³, from the marked pictures; no picture meets itself: no bias."""
    (within_a, within_b, between), (a, b) = kernels, marks
    num_a, num_b = a.sum(), b.sum()
    mean_a = (a @ within_a @ a - a @ within_a.diagonal()) / (num_a * (num_a - 1.0))
    mean_b = (b @ within_b @ b - b @ within_b.diagonal()) / (num_b * (num_b - 1.0))
    return UNIT * float(mean_a + mean_b - 2.0 * (a @ between @ b) / (num_a * num_b))
