"""Stores what was found in each picture in one SQLite file, under the hash of its content."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from portrait_pipeline.datasets.sqlite_file import transaction
from portrait_pipeline.faces.record import DetectionStore, PictureRecord

KEYS_PER_QUERY = 500


class SqliteDetectionStore:
    """A `DetectionStore` in a file: every `put` is one transaction, safe from several threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        with transaction(self._file) as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, record TEXT NOT NULL)"
            )

    def get(self, keys: Sequence[str]) -> dict[str, PictureRecord]:
        """Return the records that are there, by key."""
        found: dict[str, PictureRecord] = {}
        with transaction(self._file) as connection:
            for start in range(0, len(keys), KEYS_PER_QUERY):
                some = keys[start : start + KEYS_PER_QUERY]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, record FROM records WHERE key IN ({marks})"
                rows = connection.execute(query, some)
                found |= dict(readable_records(rows))
        return found

    def put(self, records: Mapping[str, PictureRecord]) -> None:
        """Save all records, or none of them if the process dies meanwhile."""
        rows = [(key, record.to_json()) for key, record in records.items()]
        with transaction(self._file) as connection:
            connection.executemany("INSERT OR REPLACE INTO records VALUES (?, ?)", rows)


def readable_records(rows: Iterable[tuple[str, str]]) -> Iterator[tuple[str, PictureRecord]]:
    """Read records; skip those that cannot be read, so that their files are measured again."""
    for key, text in rows:
        try:
            yield key, PictureRecord.from_json(text)
        except Exception:  # whatever stands there instead of a record
            continue


class DetectionStoreDataset(AbstractDataset[None, DetectionStore]):
    """Gives nodes the store; what they put into it is saved at once.

    Args:
        filepath: The SQLite file; it is made when it is not there.
        metadata: Read by Kedro's plugins.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> DetectionStore:
        """Open the store."""
        return SqliteDetectionStore(self._filepath)

    def save(self, data: None) -> None:
        """Refuse to save: a store is an input, and nodes write through it."""
        raise TypeError("a detection store is an input only")

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
