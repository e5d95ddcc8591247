"""Embeddings of face crops in a folder, a file for each: for hosts that share it."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from portrait_pipeline.datasets.embeddings import pair_from_bytes, pair_to_bytes
from portrait_pipeline.files import write_whole
from portrait_pipeline.identity.embedding_store import EmbeddingStore, Pair


class EmbeddingFolder:
    """An `EmbeddingStore` in a folder that several hosts write: equal files replace each other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, network_hash: str, picture_hashes: Sequence[str]) -> dict[str, Pair]:
        """Return the pairs that are there, by picture hash; a torn one is worked out again."""
        pairs = ((name, self._read(network_hash, name)) for name in picture_hashes)
        return {name: pair for name, pair in pairs if pair is not None}

    def put(self, network_hash: str, embeddings: Mapping[str, Pair]) -> None:
        """Keep pairs, each whole or not at all."""
        for name, pair in embeddings.items():
            write_whole(self._file(network_hash, name), pair_to_bytes(pair))

    def _file(self, network_hash: str, picture_hash: str) -> Path:
        network = hashlib.sha256(network_hash.encode()).hexdigest()[:16]
        return self._folder / network / picture_hash[:2] / f"{picture_hash}.npy"

    def _read(self, network_hash: str, picture_hash: str) -> Pair | None:
        try:
            return pair_from_bytes(self._file(network_hash, picture_hash).read_bytes())
        except FileNotFoundError:
            return None


class EmbeddingFolderDataset(AbstractDataset[None, EmbeddingStore]):
    """Hands nodes the store; what they put into it is there at once.

    Args:
        path: The folder, which all hosts see; it is made when something is put into it.
        metadata: Read by Kedro's plugins.
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(path)
        self.metadata = metadata

    def load(self) -> EmbeddingStore:
        """Open the store."""
        return EmbeddingFolder(self._folder)

    def save(self, data: None) -> None:
        """Refuse: a store is an input, and nodes write through it."""
        raise TypeError("an embedding store is an input only")

    def _exists(self) -> bool:
        return self._folder.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder)}
