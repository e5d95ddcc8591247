"""The crops of a split."""

import numpy as np
import pandas as pd
import pytest

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.selection import select_split, shuffled_by_content
from portrait_pipeline.images import FaceSet

FACES = FaceSet(("b", "a", "c"), np.zeros((3, 4, 4, 3), np.uint8))
SPLITS = pd.DataFrame(
    [
        ("b", "photo", "train"),
        ("a", "photo", "train"),
        ("c", "photo", "test"),
        ("c", "painting", "train"),
    ],
    columns=["name", "domain", "split"],
)


def test_a_split_is_in_the_order_of_names() -> None:
    """Only the pictures of the domain and the split, sorted, as a view on the same pixels."""
    chosen = select_split(FACES, SPLITS, "photo", "train")
    assert chosen.names == ("a", "b")
    assert chosen.pixels is FACES.pixels


def test_an_empty_split_is_refused_with_the_command() -> None:
    """The sentence names split and domain, and says how to make the splits again."""
    with pytest.raises(PortraitPipelineError, match=r"validation split holds no photo.*ingest"):
        select_split(FACES, SPLITS, "photo", "validation")


@pytest.mark.parametrize("name", ["d", "a"])
def test_splits_and_crops_must_agree(name: str) -> None:
    """A name without a crop, or one that is there twice, stops the run."""
    row = pd.DataFrame([(name, "photo", "train")], columns=SPLITS.columns)
    with pytest.raises(PortraitPipelineError, match=r"expected one crop for each name.*ingest"):
        select_split(FACES, pd.concat([SPLITS, row]), "photo", "train")


def test_names_do_not_matter_and_the_seed_does() -> None:
    """Renamed crops come in the same order of pictures; another seed gives another order."""
    pixels = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
    faces = FaceSet(tuple(f"{row:02}" for row in range(12)), pixels)
    order = np.random.default_rng(5).permutation(12)
    renamed = FaceSet(tuple(f"other_{row:02}" for row in range(12)), pixels[order])
    first, again = (shuffled_by_content(one, 0) for one in (faces, renamed))
    np.testing.assert_array_equal(first[range(12)], again[range(12)])
    assert first.names != shuffled_by_content(faces, 1).names
    assert set(first.names) == set(faces.names)
