"""Shards of a set: which file belongs to which, and their surveys put together again."""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Int64


def shards_of(names: Iterable[object], num_shards: int) -> Int64[np.ndarray, " files"]:
    """Return the shard of every file, by the hash of its name: it does not depend on the others."""
    digests = (hashlib.sha256(str(name).encode()).digest()[:8] for name in names)
    numbers = (int.from_bytes(digest, "big") % num_shards for digest in digests)
    return np.fromiter(numbers, dtype=np.int64)


def divide_shards(table: pd.DataFrame, num_shards: int) -> list[pd.DataFrame]:
    """Divide a table by the column `name` into shard 0, 1, …, each in the order of the table."""
    shards = shards_of(table["name"], num_shards)
    return [table[shards == shard].reset_index(drop=True) for shard in range(num_shards)]


def merge_shards(names: Iterable[object], shards: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put the tables of all shards into one, in the order of the files.

    Args:
        names: Of all files, in order.
        shards: Shard 0, 1, …, each with the rows of its files in their order.
    """
    order = np.argsort(shards_of(names, len(shards)), kind="stable")
    merged = pd.concat(shards, ignore_index=True)
    if len(merged) != len(order):
        raise ValueError(f"the shards have {len(merged)} rows, expected {len(order)}")
    return merged.iloc[np.argsort(order)].reset_index(drop=True)
