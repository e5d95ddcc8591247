"""Stores embeddings of face crops in SQLite, under the hashes of network and picture."""

import io
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from kedro.io import AbstractDataset

from portrait_pipeline.datasets.sqlite_file import transaction
from portrait_pipeline.identity.embedding_store import EmbeddingStore, Pair

KEYS_PER_QUERY = 500
_MAKE_TABLE = (
    "CREATE TABLE IF NOT EXISTS embeddings (network TEXT NOT NULL, picture TEXT NOT NULL,"
    " pair BLOB NOT NULL, PRIMARY KEY (network, picture))"
)
_FIND_TABLE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'embeddings'"
_FIND_PAIRS = "SELECT picture, pair FROM embeddings WHERE network = ? AND picture IN"


class SqliteEmbeddingStore:
    """An `EmbeddingStore` in a file: every `put` is one transaction, so a crash tears nothing."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        with transaction(self._file) as connection:
            connection.execute(_MAKE_TABLE)

    def get(self, network_hash: str, picture_hashes: Sequence[str]) -> dict[str, Pair]:
        """Return the pairs that are there, by picture hash."""
        with transaction(self._file) as connection:
            return _find(connection, network_hash, picture_hashes)

    def put(self, network_hash: str, embeddings: Mapping[str, Pair]) -> None:
        """Save all pairs, or none of them if the process dies meanwhile."""
        rows = [(network_hash, key, pair_to_bytes(pair)) for key, pair in embeddings.items()]
        with transaction(self._file) as connection:
            connection.executemany("INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)", rows)


class ReadOnlyEmbeddingStore:
    """An `EmbeddingStore` that another process writes: what is put into this one is not kept."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def get(self, network_hash: str, picture_hashes: Sequence[str]) -> dict[str, Pair]:
        """Return the pairs that are there so far, by picture hash."""
        if not self._file.is_file():
            return {}
        with transaction(self._file) as connection:
            if connection.execute(_FIND_TABLE).fetchone() is None:
                return {}
            return _find(connection, network_hash, picture_hashes)

    def put(self, network_hash: str, embeddings: Mapping[str, Pair]) -> None:
        """Save nothing: the process that writes saves the same pairs."""


def _find(
    connection: sqlite3.Connection, network_hash: str, picture_hashes: Sequence[str]
) -> dict[str, Pair]:
    found: dict[str, Pair] = {}
    for start in range(0, len(picture_hashes), KEYS_PER_QUERY):
        some = picture_hashes[start : start + KEYS_PER_QUERY]
        query = f"{_FIND_PAIRS} ({','.join('?' * len(some))})"
        rows = connection.execute(query, [network_hash, *some])
        pairs = ((picture, pair_from_bytes(stored)) for picture, stored in rows)
        found |= {picture: pair for picture, pair in pairs if pair is not None}
    return found


def pair_to_bytes(pair: Pair) -> bytes:
    """Return what is stored: NumPy's own format, so that the shape comes back with the numbers."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(pair, np.float32), allow_pickle=False)
    return buffer.getvalue()


def pair_from_bytes(stored: object) -> Pair | None:
    """Return what was stored, or None for a value that is damaged and is computed again."""
    if not isinstance(stored, bytes):
        return None
    try:
        pair = np.lib.format.read_array(io.BytesIO(stored), allow_pickle=False)
    except (ValueError, TypeError, EOFError, OSError):
        return None
    return pair if pair.dtype == np.float32 and pair.ndim == 2 else None


class EmbeddingStoreDataset(AbstractDataset[None, EmbeddingStore]):
    """Gives nodes the store; what they put into it is saved at once.

    Where several processes train one model, all but the first set `read_only`.

    Example:
        ```yaml
        embedding_store:
          type: portrait_pipeline.datasets.embeddings.EmbeddingStoreDataset
          filepath: data/05_model_input/embeddings.sqlite
        ```

    Args:
        filepath: The SQLite file; it is made when it is not there.
        metadata: Read by Kedro's plugins.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata
        self.read_only = False

    def load(self) -> EmbeddingStore:
        """Open the store."""
        if self.read_only:
            return ReadOnlyEmbeddingStore(self._filepath)
        return SqliteEmbeddingStore(self._filepath)

    def save(self, data: None) -> None:
        """Refuse to save: a store is an input, and nodes write through it."""
        raise TypeError("an embedding store is an input only")

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
