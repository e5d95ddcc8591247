"""Copies are found whatever their order, and nothing else is."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from portrait_pipeline.faces.duplicates import duplicate_clusters


def clusters_of(contents: list[str], words: list[int], bits: int) -> list[int]:
    """Number the contents and find the copies."""
    numbers = np.unique(contents, return_inverse=True)[1]
    return list(duplicate_clusters(numbers, np.array(words, dtype=np.uint64), bits))


def plain_clusters(contents: list[str], words: list[int], bits: int) -> list[int]:
    """The same by definition: join until nothing changes."""
    labels = list(range(len(words)))
    changed = True
    while changed:
        changed = False
        for i in range(len(words)):
            for j in range(i):
                near = (words[i] ^ words[j]).bit_count() <= bits or contents[i] == contents[j]
                if near and labels[i] != labels[j]:
                    labels[i] = labels[j] = min(labels[i], labels[j])
                    changed = True
    return labels


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 255)), max_size=25),
    st.integers(0, 3),
)
@settings(max_examples=60, deadline=None)
def test_clusters_are_those_of_the_definition(pictures: list[tuple[str, int]], bits: int) -> None:
    """Equal content or few differing bits, joined transitively: as a plain double loop finds."""
    contents = [content for content, _ in pictures]
    words = [word * 0x0101_0101_0101_0101 for _, word in pictures]
    found = clusters_of(contents, words, bits * 8)
    expected = plain_clusters(contents, words, bits * 8)
    assert len(set(found)) == len(set(expected))
    assert list(dict.fromkeys(found)) == list(range(len(set(found))))
    assert len(set(zip(found, expected, strict=True))) == len(set(expected))


def test_twenty_thousand_pictures_are_compared() -> None:
    """Among 20,000 random hashes exactly the planted copies are found, across all blocks."""
    rng = np.random.default_rng(0)
    words = rng.integers(0, 2**64, 20_000, dtype=np.uint64)
    copies = rng.permutation(20_000)[:200].reshape(100, 2)
    words[copies[:, 1]] = words[copies[:, 0]] ^ np.uint64(0b1011)
    clusters = duplicate_clusters(np.arange(20_000), words, 3)
    assert (clusters[copies[:, 0]] == clusters[copies[:, 1]]).all()
    assert len(set(clusters.tolist())) == 19_900


def test_a_thousand_equal_pictures_are_one_cluster() -> None:
    """Very many copies of one picture cost no more than different ones."""
    clusters = duplicate_clusters(np.arange(1000), np.full(1000, 0xFF, dtype=np.uint64), 4)
    assert set(clusters.tolist()) == {0}


def test_no_pictures_are_no_clusters() -> None:
    """An empty set is answered with an empty array."""
    assert len(clusters_of([], [], 4)) == 0
