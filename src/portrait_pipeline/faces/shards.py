"""Shards of a set: which file belongs to which, and what they found put together again."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int
from pandas.api.types import union_categoricals

from portrait_pipeline.faces.columns import AUDIT_DTYPES, typed

Order = Int[np.ndarray, " files"]
"""The shard of each file, in the order of the sources."""


@dataclass(frozen=True)
class StoredTable:
    """A table in a file, of which nothing is in memory.

    Attributes:
        path: The file.
        read: Reads the whole table.
    """

    path: Path
    read: Callable[[], pd.DataFrame]


Table = pd.DataFrame | StoredTable


@dataclass(frozen=True)
class MergedTable:
    """The tables of all shards as one, which is made while it is written.

    Attributes:
        order: The shard of each row.
        shards: Shard 0, 1, …, each with its rows in that order.
    """

    order: Order
    shards: Sequence[Table]


class MergedColumns:
    """The tables of all shards as one: a column is put together when it is asked for.

    So memory never holds the whole table beside those of the shards.

    Args:
        order: The shard of each row.
        shards: Shard 0, 1, …, each with its rows in that order.
    """

    def __init__(self, order: Order, shards: Sequence[pd.DataFrame]) -> None:
        rows = sum(map(len, shards))
        if rows != len(order):
            raise ValueError(f"the shards have {rows} rows, expected {len(order)}")
        self._shards = shards
        self._places = np.argsort(np.argsort(order, kind="stable"))

    def __getitem__(self, name: str) -> pd.Series:
        """Return a column in the order of the rows."""
        parts = [shard[name] for shard in self._shards]
        if isinstance(parts[0].dtype, pd.CategoricalDtype):
            return pd.Series(union_categoricals(parts).take(self._places))
        return pd.Series(pd.concat(parts, ignore_index=True).array.take(self._places))

    def __len__(self) -> int:
        return len(self._places)


def shards_of(names: Iterable[object], num_shards: int) -> Order:
    """Return the shard of every file, by the hash of its name: it does not depend on the others."""
    digests = (hashlib.sha256(str(name).encode()).digest()[:8] for name in names)
    numbers = (int.from_bytes(digest, "big") % num_shards for digest in digests)
    return np.fromiter(numbers, dtype=np.uint16)


def divide_shards(table: pd.DataFrame, order: Order, num_shards: int) -> list[pd.DataFrame]:
    """Divide a table into shard 0, 1, …, each in the order of the table."""
    return [table[order == shard].reset_index(drop=True) for shard in range(num_shards)]


def read_table(table: Table) -> pd.DataFrame:
    """Return a table, wherever it lies."""
    return table if isinstance(table, pd.DataFrame) else table.read()


def gather_rows(
    order: Order, shards: Sequence[Table], is_chosen: Callable[[pd.DataFrame], pd.Series]
) -> pd.DataFrame:
    """Return the chosen rows of the audits of all shards; one at a time is in memory.

    Args:
        order: The shard of each file.
        shards: The audits of shard 0, 1, …; there may be further ones, which are left out.
        is_chosen: Tells which rows of an audit; its index is the place in the order.
    """
    parts = []
    for shard, table in enumerate(shards):
        rows = typed(read_table(table), AUDIT_DTYPES).set_index(np.flatnonzero(order == shard))
        parts.append(rows[is_chosen(rows)])
    return pd.concat(parts).sort_index()
