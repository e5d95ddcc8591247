"""Seeded choices of pictures by what they show: a renamed file changes none of them."""

from hashlib import blake2b

import numpy as np
from jaxtyping import Int64

from portrait_pipeline.images import FaceSet


def shuffled_by_content(faces: FaceSet, seed: int) -> FaceSet:
    """Order crops by a hash of seed and pixels: as good as random, and blind to their names.

    The first crops of such a set are a fair sample of it. Equal crops keep the order of their
    names, which changes nothing that is measured.
    """
    key = seed.to_bytes(8, "little")
    hashes = [blake2b(faces[row].tobytes(), key=key).digest() for row in range(len(faces))]
    order = sorted(range(len(faces)), key=lambda row: (hashes[row], faces.names[row]))
    return faces.subset([faces.names[row] for row in order])


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
