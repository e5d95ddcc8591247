"""Seeded choices of rows of a set of pictures."""

import numpy as np
from jaxtyping import Int64


def derangements(count: int, number: int, seed: int) -> Int64[np.ndarray, "number count"]:
    """Draw orders in which no row keeps its place, to give each photograph another person's.

    Each is a random cycle through all rows, so no row meets itself.

    Raises:
        ValueError: if there are fewer than two rows.
    """
    if count < 2:
        raise ValueError(f"there is {count} picture, expected at least 2 to pair with another")
    generator = np.random.default_rng(seed)
    orders = np.empty((number, count), dtype=np.int64)
    for order in orders:
        cycle = generator.permutation(count)
        order[cycle] = np.roll(cycle, 1)
    return orders


def random_subsets(
    count: int, size: int, number: int, seed: int
) -> Int64[np.ndarray, "number size"]:
    """Draw several subsets of the rows without replacement."""
    generator = np.random.default_rng(seed)
    return np.stack([generator.permutation(count)[:size] for _ in range(number)])
