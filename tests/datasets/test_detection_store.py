"""What was found outlives the process, whole."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kedro.io.core import DatasetError
from support.ingestion import face_at

from portrait_pipeline.datasets.detection_store import DetectionStoreDataset, SqliteDetectionStore
from portrait_pipeline.faces.record import PictureRecord, without_picture

RECORD = PictureRecord("abc", None, 10, 20, "00ff", 0.1, 0.2, 0.3, face_at(1.1, 2.2, 3.3))


def test_what_was_put_is_there_in_the_next_process(tmp_path: Path) -> None:
    """Records come back exactly through another store on the same file."""
    file = tmp_path / "deep" / "store.sqlite"
    dataset = DetectionStoreDataset(filepath=str(file))
    assert not dataset.exists()
    dataset.load().put({"a": RECORD, "b": without_picture("b", "empty")})
    assert dataset.exists()
    again = SqliteDetectionStore(file).get(["a", "b", "c"])
    assert set(again) == {"a", "b"}
    assert again["a"] == RECORD
    assert again["b"].to_json() == without_picture("b", "empty").to_json()


def test_many_keys_are_asked_at_once(tmp_path: Path) -> None:
    """More keys than one statement holds are answered, in both directions."""
    store = SqliteDetectionStore(tmp_path / "store.sqlite")
    keys = [f"key {index}" for index in range(1700)]
    store.put(dict.fromkeys(keys, RECORD))
    assert set(store.get(keys)) == set(keys)
    assert store.get([]) == {}


class DyingRecords(dict[str, PictureRecord]):
    """Records of which the third is never reached."""

    def items(self) -> Iterator[tuple[str, PictureRecord]]:  # type: ignore[override]
        """Yield two and die."""
        yield "x", RECORD
        yield "y", RECORD
        raise KeyboardInterrupt


def test_a_put_is_all_or_nothing(tmp_path: Path) -> None:
    """A put that dies in the middle leaves what was there before."""
    store = SqliteDetectionStore(tmp_path / "store.sqlite")
    store.put({"a": RECORD})
    with pytest.raises(KeyboardInterrupt):
        store.put(DyingRecords())
    assert set(store.get(["a", "x", "y"])) == {"a"}


def test_a_writer_killed_within_its_transaction_leaves_nothing(tmp_path: Path) -> None:
    """Rows of a connection that never committed are not seen, and do not lock the store."""
    store = SqliteDetectionStore(tmp_path / "store.sqlite")
    dead = sqlite3.connect(tmp_path / "store.sqlite")
    dead.execute("INSERT INTO records VALUES ('half', '{}')")
    dead.close()
    store.put({"a": RECORD})
    assert set(store.get(["a", "half"])) == {"a"}


def test_several_threads_write_at_once(tmp_path: Path) -> None:
    """No record is lost when workers finish together."""
    store = SqliteDetectionStore(tmp_path / "store.sqlite")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda index: store.put({f"key {index}": RECORD}), range(40)))
    assert len(store.get([f"key {index}" for index in range(40)])) == 40


def test_a_store_is_an_input_only(tmp_path: Path) -> None:
    """Nothing can be saved over a store."""
    with pytest.raises(DatasetError):
        DetectionStoreDataset(filepath=str(tmp_path / "store.sqlite")).save(None)
