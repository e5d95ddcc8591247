"""Embeddings of real pictures, made once for each picture, its mirror image and each network."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
from jaxtyping import Float32, UInt8

from portrait_pipeline.identity.embedder import Embedder
from portrait_pipeline.identity.embedding import embed_pairs
from portrait_pipeline.images import FaceSet
from portrait_pipeline.progress import progress_bar

Pair = Float32[np.ndarray, "views dim"]
"""Embeddings of one picture: as it is and, where training looks them up, mirrored."""


class EmbeddingStore(Protocol):
    """Where embeddings stay between runs, keyed by the network's and the picture's hash."""

    def get(self, network_hash: str, picture_hashes: Sequence[str]) -> Mapping[str, Pair]:
        """Return what is known of these pictures, by picture hash."""
        ...

    def put(self, network_hash: str, embeddings: Mapping[str, Pair]) -> None:
        """Keep embeddings; when it returns they survive a crash."""
        ...


def embed_faces(
    faces: FaceSet, embedder: Embedder, store: EmbeddingStore, batch_size: int = 16
) -> Float32[np.ndarray, "faces 2 dim"]:
    """Embed every crop as it is ([:, 0]) and mirrored ([:, 1]), or look it up.

    Only pictures that the store does not hold for this very network pass through it, in batches
    that are kept one by one, so that a run cut short loses one batch.
    """
    hashes = [picture_hash(faces[row]) for row in range(len(faces))]
    found = store.get(embedder.network_hash, hashes)
    shape = (2, embedder.embedding_size)  # others are not of this network: they are made again
    known = {key: pair for key, pair in found.items() if pair.shape == shape}
    new_rows = {key: row for row, key in enumerate(hashes) if key not in known}
    with progress_bar("embedding faces", len(new_rows)) as bar:
        for keys in _chunks(list(new_rows), batch_size):
            crops = faces[[new_rows[key] for key in keys]]
            pairs = embed_pairs(crops, embedder, embedder.common_part.device)
            batch = dict(zip(keys, pairs, strict=True))
            store.put(embedder.network_hash, batch)
            known.update(batch)
            bar.advance(len(keys))
    if not hashes:
        return np.empty((0, 2, embedder.embedding_size), dtype=np.float32)
    return np.stack([known[key] for key in hashes])


def picture_hash(crop: UInt8[np.ndarray, "size size 3"]) -> str:
    """Return the SHA-256 of a crop's size and pixels."""
    digest = hashlib.sha256(str(crop.shape).encode())
    digest.update(np.ascontiguousarray(crop).tobytes())
    return digest.hexdigest()


def _chunks(keys: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]
