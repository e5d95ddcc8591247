"""Copies of one picture: the same bytes, or perceptual hashes a few bits apart."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int, UInt64

BLOCK = 1024


def duplicate_clusters(
    contents: Int[np.ndarray, " pictures"],
    perceptual_hashes: UInt64[np.ndarray, " pictures"],
    distance_bits: int,
) -> Int[np.ndarray, " pictures"]:
    """Number the clusters of duplicates: pictures with one number are copies of one another.

    Two pictures are copies when their content is the same or their perceptual hashes (64-bit pHash)
    differ in at most `distance_bits` bits; copies of copies are copies. All pairs are compared, as
    whole blocks of machine words: 20,000 pictures take about a second.

    Args:
        contents: A number for each picture, the same for the same bytes.
        perceptual_hashes: Of each picture.
        distance_bits: Largest Hamming distance of copies, in [0, 64].

    Returns:
        A number for each picture: 0, 1, 2, … in the order in which clusters first appear.
    """
    parents = np.arange(len(contents))
    distinct, first, inverse = np.unique(perceptual_hashes, return_index=True, return_inverse=True)
    _unite_each(parents, first[inverse])
    _, first_content, inverse = np.unique(contents, return_index=True, return_inverse=True)
    _unite_each(parents, first_content[inverse])
    for rows, columns in _near_pairs(distinct, distance_bits):
        _unite(parents, zip(first[rows].tolist(), first[columns].tolist(), strict=True))
    while (parents != parents[parents]).any():
        parents = parents[parents]
    is_first = parents == np.arange(len(parents))
    numbers: Int[np.ndarray, " pictures"] = (np.cumsum(is_first) - 1)[parents]
    return numbers


def _near_pairs(
    words: UInt64[np.ndarray, "distinct"], distance_bits: int
) -> Iterator[tuple[Int[np.ndarray, "pairs"], Int[np.ndarray, "pairs"]]]:
    if distance_bits == 0:
        return  # the words are distinct
    for start in range(0, len(words), BLOCK):
        block = words[start : start + BLOCK]
        distances = np.bitwise_count(block[:, None] ^ words[None, start:])
        rows, columns = np.nonzero(distances <= distance_bits)
        later = columns > rows
        yield rows[later] + start, columns[later] + start


def _unite_each(
    parents: Int[np.ndarray, " pictures"], others: Int[np.ndarray, " pictures"]
) -> None:
    """Join every picture to the one that is named for it; most are named for themselves."""
    joined = np.flatnonzero(others != np.arange(len(others)))
    _unite(parents, zip(joined.tolist(), others[joined].tolist(), strict=True))


def _root(parents: Int[np.ndarray, "pictures"], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = int(parents[index])
    return index


def _unite(parents: Int[np.ndarray, "pictures"], pairs: Iterator[tuple[int, int]]) -> None:
    for left, right in pairs:
        low, high = sorted((_root(parents, left), _root(parents, right)))
        parents[high] = low
