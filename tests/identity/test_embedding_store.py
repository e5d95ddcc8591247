"""Embeddings of real pictures: once per picture, flip and network, whatever the order."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from portrait_pipeline.identity import Embedder
from portrait_pipeline.identity.embedding_store import Pair, embed_faces, picture_hash
from portrait_pipeline.identity.fixed_crop import FixedCrop
from portrait_pipeline.images import FaceSet, to_model_range


class MemoryStore:
    """A store that forgets with the test."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Pair] = {}
        self.batches: list[int] = []

    def get(self, network_hash: str, picture_hashes: Sequence[str]) -> dict[str, Pair]:
        keys = (key for key in picture_hashes if (network_hash, key) in self.kept)
        return {key: self.kept[network_hash, key] for key in keys}

    def put(self, network_hash: str, embeddings: Mapping[str, Pair]) -> None:
        self.batches.append(len(embeddings))
        self.kept |= {(network_hash, key): pair for key, pair in embeddings.items()}


class Patches(nn.Module):
    """A stand-in: the flattened picture is its own descriptor."""

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        return faces.flatten(1)


def embedder(common: float = 0.0) -> Embedder:
    """Make a stand-in that sees the whole picture at 4 px."""
    return Embedder("dlib", Patches(), FixedCrop(0.0, 0.0, 1.0, 1.0, 4), torch.full((48,), common))


def faces(count: int = 7) -> FaceSet:
    """Make crops of noise."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return FaceSet(tuple(f"face{row}" for row in range(count)), pixels)


def test_rows_are_embeddings_and_their_mirror_images() -> None:
    """[:, 0] embeds the crop, [:, 1] its mirror image, in the order of the set."""
    crops = faces()
    table = embed_faces(crops, embedder(), MemoryStore(), batch_size=3)
    images = to_model_range(crops.pixels)
    assert table.dtype == np.float32
    np.testing.assert_allclose(table[:, 0], embedder()(images), atol=1e-6)
    np.testing.assert_allclose(table[:, 1], embedder()(images.flip(3)), atol=1e-6)


def test_known_pictures_are_not_embedded_again() -> None:
    """A second call asks nothing of the network; a new picture alone is embedded."""
    store = MemoryStore()
    embed_faces(faces().subset(["face0", "face1", "face2"]), embedder(), store, batch_size=2)
    embed_faces(faces(), embedder(), store, batch_size=16)
    first = embed_faces(faces(), embedder(), store)
    assert store.batches == [2, 1, 4]
    np.testing.assert_array_equal(
        first[3], store.kept[embedder().network_hash, picture_hash(faces()[3])]
    )


def test_another_network_has_its_own_rows() -> None:
    """The key holds the network's hash: a changed centre means new embeddings."""
    store = MemoryStore()
    one = embed_faces(faces(), embedder(), store)
    other = embed_faces(faces(), embedder(100.0), store)
    assert not np.allclose(one, other)


def test_equal_pictures_are_embedded_once() -> None:
    """Two names for the same pixels share one entry and get the same row."""
    pixels = np.repeat(faces(1).pixels, 2, axis=0)
    store = MemoryStore()
    table = embed_faces(FaceSet(("a", "b"), pixels), embedder(), store)
    assert store.batches == [1]
    np.testing.assert_array_equal(table[0], table[1])


def test_no_faces() -> None:
    """An empty set gives an empty table of the right width."""
    empty = FaceSet((), np.empty((0, 8, 8, 3), dtype=np.uint8))
    assert embed_faces(empty, embedder(), MemoryStore()).shape == (0, 2, 48)
