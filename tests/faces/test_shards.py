"""Laws of the shards of a set."""

import random

import numpy as np
import pandas as pd
import pytest

from portrait_pipeline.faces.shards import MergedColumns, divide_shards, shards_of

NAMES = [f"{'ab'[n % 2]}/{n}.jpg" for n in range(500)]


@pytest.mark.parametrize("count", [1, 2, 7, 500])
def test_divided_and_merged_it_is_the_whole(count: int) -> None:
    """Law: the rows come back in the order of the sources, whatever the order and the number."""
    for seed in range(3):
        names = random.Random(seed).sample(NAMES, len(NAMES))
        folders = pd.Categorical([name[0] for name in names], categories=["b", "a"])
        table = pd.DataFrame(
            {"name": pd.array(names, "string"), "value": range(len(names)), "folder": folders}
        )
        order = shards_of(names, count)
        shards = divide_shards(table, order, count)
        merged = MergedColumns(order, shards)
        for column in table:
            pd.testing.assert_series_equal(merged[column], table[column], check_names=False)


def test_the_shard_of_a_file_does_not_depend_on_the_others() -> None:
    """Law: added files move none; and the shards are about equally large."""
    whole = shards_of(NAMES, 8)
    assert np.array_equal(shards_of(NAMES[100:], 8), whole[100:])
    counts = np.bincount(whole, minlength=8)
    assert counts.min() > 40
    assert counts.max() < 90


def test_a_lost_row_is_not_passed_over() -> None:
    """Law: shards that do not hold all files are refused."""
    table = pd.DataFrame({"name": NAMES})
    with pytest.raises(ValueError, match="499 rows, expected 500"):
        MergedColumns(shards_of(NAMES, 1), [table.iloc[:-1]])
