"""Laws of the folder of embeddings: those of any store of them, without a database."""

from pathlib import Path

import numpy as np
import pytest

from portrait_pipeline.datasets.embedding_folder import EmbeddingFolderDataset

PAIRS = {f"{n:064x}": np.random.default_rng(n).random((2, 8), np.float32) for n in range(5)}


def test_what_was_put_comes_back_exactly(tmp_path: Path) -> None:
    """Law: bit for bit, under the network that made it, for the next worker too."""
    dataset = EmbeddingFolderDataset(path=str(tmp_path / "embeddings"))
    assert not dataset.exists()
    dataset.load().put("a" * 64, PAIRS)
    found = dataset.load().get("a" * 64, [*PAIRS, "absent"])
    assert found.keys() == PAIRS.keys()
    assert all(np.array_equal(found[name], pair) for name, pair in PAIRS.items())
    assert dataset.load().get("b" * 64, list(PAIRS)) == {}


@pytest.mark.parametrize("length", [0, 1, 7, 33, 128, 150])
def test_a_torn_file_is_not_known(tmp_path: Path, length: int) -> None:
    """Law: what cannot be embeddings is worked out again, and can be put again."""
    store = EmbeddingFolderDataset(path=str(tmp_path)).load()
    store.put("a" * 64, PAIRS)
    (torn,) = tmp_path.rglob(f"{next(iter(PAIRS))}.npy")
    torn.write_bytes(torn.read_bytes()[:length])
    assert len(store.get("a" * 64, list(PAIRS))) == len(PAIRS) - 1
    store.put("a" * 64, PAIRS)
    assert len(store.get("a" * 64, list(PAIRS))) == len(PAIRS)


def test_every_network_has_its_own(tmp_path: Path) -> None:
    """Law: names of networks that begin alike are not mistaken for each other."""
    store = EmbeddingFolderDataset(path=str(tmp_path)).load()
    store.put("a" * 64, PAIRS)
    assert store.get("a" * 64 + " raw", list(PAIRS)) == {}
