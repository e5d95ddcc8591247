"""Tables as CSV files that preserve names and other text exactly."""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from kedro.io import AbstractDataset
from kedro_datasets.pandas import CSVDataset

from portrait_pipeline.faces.shards import MergedTable, StoredTable, Table

TEXT_COLUMNS = (
    *("name", "path", "twin_path", "title", "artist", "date", "licence", "domain", "split"),
    *("content_hash", "perceptual_hash", "fault", "reason", "duplicate_of", "crop_from"),
    *("photo", "result", "files", "detail", "model", "judge", "teacher"),
)
EARLIER_DOMAINS = {"portrait": "painting"}
READ_AHEAD_BYTES = 2**25
"""What is in memory of all shards that are merged."""


class TableDataset(CSVDataset):  # type: ignore[misc]  # kedro-datasets ships no types
    """Saves and loads a table as `pandas.CSVDataset` does, in UTF-8 and with all text quoted.

    `TEXT_COLUMNS` are read as text whatever they look like (`NA`, `007`, `1e5`); of the others
    pandas finds the type. Only what is empty is missing. Tables of earlier versions, which called
    the paintings portraits, get today's name of the domain.

    The tables of shards are merged while they are written: their lines are copied, so that the
    file is the one that the whole table would give.
    """

    DEFAULT_LOAD_ARGS: ClassVar[dict[str, Any]] = {
        "keep_default_na": False,
        "na_values": [""],
        "dtype": dict.fromkeys(TEXT_COLUMNS, "str"),
    }
    DEFAULT_SAVE_ARGS: ClassVar[dict[str, Any]] = {
        "index": False,
        "quoting": csv.QUOTE_NONNUMERIC,
    }
    DEFAULT_FS_ARGS: ClassVar[dict[str, Any]] = {
        "open_args_save": {"mode": "w", "encoding": "utf-8", "newline": ""}
    }

    def load(self) -> pd.DataFrame:
        """Read the table."""
        table: pd.DataFrame = super().load()
        if "domain" in table:
            table["domain"] = table["domain"].replace(EARLIER_DOMAINS)
        return table

    def save(self, data: pd.DataFrame | MergedTable) -> None:
        """Write the table.

        Raises:
            ValueError: if the shards that are merged have other columns or rows than expected.
        """
        if isinstance(data, pd.DataFrame):
            super().save(data)
            return
        with self._fs.open(str(self._get_save_path()), mode="wb") as file:
            file.writelines(self._merged(data))

    def _merged(self, table: MergedTable) -> Iterator[bytes]:
        """Yield the header, then the rows of all shards in their order, each as it stands there."""
        read_ahead = max(1, READ_AHEAD_BYTES // len(table.shards))
        shards = [_records(self._lines(shard, read_ahead)) for shard in table.shards]
        headers = {next(shard) for shard in shards}
        if len(headers) > 1:
            raise ValueError("the shards have different columns, expected the same")
        yield headers.pop()
        for shard in table.order.tolist():
            record = next(shards[shard], None)
            if record is None:
                raise ValueError(f"shard {shard} has fewer rows than expected")
            yield record
        if any(next(shard, None) for shard in shards):
            raise ValueError(f"the shards have more rows than the {len(table.order)} expected")

    def _lines(self, table: Table, read_ahead: int) -> Iterator[bytes]:
        if isinstance(table, pd.DataFrame):
            text = io.StringIO(newline="")
            table.to_csv(text, **self._save_args)
            yield from text.getvalue().encode().splitlines(keepends=True)
            return
        place, lines = 0, [b""]
        while lines:  # no file stays open: there may be more of them than a process can have
            yield from lines
            with table.path.open("rb") as file:
                file.seek(place)
                lines = file.readlines(read_ahead)
                place = file.tell()


class StoredTableDataset(AbstractDataset[pd.DataFrame, StoredTable]):
    """Saves a table as `TableDataset` does; what it loads is read when it is asked for.

    For the tables of shards, of which one node uses many, a few rows of each.

    Args:
        filepath: The file.
        metadata: Read by Kedro's plugins.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self._table = TableDataset(filepath=filepath)
        self.metadata = metadata

    def load(self) -> StoredTable:
        """Say where the table is; nothing is read yet."""
        return StoredTable(self._filepath, self._table.load)

    def save(self, data: pd.DataFrame) -> None:
        """Write the table."""
        self._table.save(data)

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


def _records(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Join lines to rows: where a quote is open, the end of a line belongs to a text."""
    record = b""
    for line in lines:
        record += line
        if record and record.count(b'"') % 2 == 0:
            yield record
            record = b""
