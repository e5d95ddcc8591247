"""The embedding store: what was put is there, for that network, whole, also for another process."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError

from portrait_pipeline.datasets.embedding_folder import EmbeddingFolder
from portrait_pipeline.datasets.embeddings import EmbeddingStoreDataset, SqliteEmbeddingStore


def pair(value: float) -> np.ndarray:
    """Make one picture's embeddings."""
    return np.array([[value, 0.5], [-value, 0.25]], dtype=np.float32)


def test_what_was_put_is_there(tmp_path: Path) -> None:
    """Bit for bit, after reopening, and only for the network that made it."""
    file = tmp_path / "new" / "embeddings.sqlite"
    EmbeddingStoreDataset(filepath=str(file)).load().put("net", {"a": pair(1.5), "b": pair(0.1)})
    again = EmbeddingStoreDataset(filepath=str(file)).load()
    found = again.get("net", ["b", "unknown", "a"])
    assert found.keys() == {"a", "b"}
    np.testing.assert_array_equal(found["b"], pair(0.1))
    assert again.get("other", ["a"]) == {}


@pytest.mark.parametrize("shape", [(1, 128), (2, 128), (2, 3), (1, 1), (3, 5)])
@pytest.mark.parametrize("is_folder", [False, True])
def test_the_shape_comes_back(shape: tuple[int, int], is_folder: bool, tmp_path: Path) -> None:
    """A face that was embedded without its mirror image is not read as two halves of a pair."""
    store = EmbeddingFolder(tmp_path) if is_folder else SqliteEmbeddingStore(tmp_path / "e.sqlite")
    put = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    store.put("net", {"a" * 64: put})
    np.testing.assert_array_equal(store.get("net", ["a" * 64])["a" * 64], put)


def test_many_pictures(tmp_path: Path) -> None:
    """More keys than one query takes are all found."""
    store = SqliteEmbeddingStore(tmp_path / "e.sqlite")
    store.put("net", {str(row): pair(row) for row in range(1203)})
    found = store.get("net", [str(row) for row in range(1203)])
    assert [found[str(row)][0, 0] for row in range(1203)] == list(range(1203))


def test_a_put_cut_short_leaves_nothing(tmp_path: Path) -> None:
    """A batch that fails halfway is not there at all, and what was there before still is."""
    store = SqliteEmbeddingStore(tmp_path / "e.sqlite")
    store.put("net", {"a": pair(1.0)})
    broken = {"b": pair(2.0), None: pair(3.0)}
    with pytest.raises(sqlite3.IntegrityError):
        store.put("net", broken)
    assert store.get("net", ["a", "b"]).keys() == {"a"}


def test_saving_is_refused(tmp_path: Path) -> None:
    """Nodes write through the store that they were handed."""
    with pytest.raises(DatasetError, match="input only"):
        EmbeddingStoreDataset(filepath=str(tmp_path / "e.sqlite")).save("anything")


def test_a_read_only_store_reads_and_never_writes(tmp_path: Path) -> None:
    """It finds what another process has put, nothing before there is a store, and keeps nothing."""
    file = tmp_path / "e.sqlite"
    dataset = EmbeddingStoreDataset(filepath=str(file))
    dataset.read_only = True
    reader = dataset.load()
    reader.put("net", {"a": pair(1.0)})
    assert reader.get("net", ["a"]) == {}
    assert not file.exists()
    file.touch()
    assert reader.get("net", ["a"]) == {}
    SqliteEmbeddingStore(file).put("net", {"a": pair(1.0)})
    before = file.read_bytes()
    reader.put("net", {"b": pair(2.0)})
    np.testing.assert_array_equal(reader.get("net", ["a", "b"])["a"], pair(1.0))
    assert reader.get("net", ["b"]) == {}
    assert file.read_bytes() == before
