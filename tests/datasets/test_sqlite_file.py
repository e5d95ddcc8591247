"""What the stores keep can be worked out again: a spoilt file says so, or is filled anew."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portrait_pipeline.datasets import sqlite_file
from portrait_pipeline.datasets.detection_store import SqliteDetectionStore
from portrait_pipeline.datasets.embeddings import ReadOnlyEmbeddingStore, SqliteEmbeddingStore
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.record import without_picture

RECORD = without_picture("a", "empty")
PAIR = np.ones((2, 4), dtype=np.float32)
USES: dict[str, Callable[[Path], Any]] = {
    "read detections": lambda file: SqliteDetectionStore(file).get(["a"]),
    "write detections": lambda file: SqliteDetectionStore(file).put({"a": RECORD}),
    "read embeddings": lambda file: SqliteEmbeddingStore(file).get("net", ["a"]),
    "write embeddings": lambda file: SqliteEmbeddingStore(file).put("net", {"a": PAIR}),
    "only read embeddings": lambda file: ReadOnlyEmbeddingStore(file).get("net", ["a"]),
}


def other_tables(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE records (something)")
        connection.execute("CREATE TABLE embeddings (else_)")
    connection.close()


def torn(file: Path) -> None:
    store = SqliteEmbeddingStore(file)
    SqliteDetectionStore(file).put({f"{n}" * 50: RECORD for n in range(500)})
    store.put("net", {str(n): PAIR for n in range(500)})
    data = file.read_bytes()
    file.write_bytes(data[:4096] + b"\x55" * 4096 * 3 + data[4096 * 4 : len(data) // 2])


SPOILT: dict[str, Callable[[Path], Any]] = {
    "text": lambda file: file.write_text("no database at all, but long enough to be read " * 20),
    "zeros": lambda file: file.write_bytes(bytes(8192)),
    "other tables": other_tables,
    "torn": torn,
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("spoil", SPOILT)
def test_a_spoilt_store_is_named_with_what_to_do(tmp_path: Path, spoil: str, use: str) -> None:
    """Every way of using it ends with one sentence."""
    file = tmp_path / "store.sqlite"
    SPOILT[spoil](file)
    with pytest.raises(PortraitPipelineError, match=r"store\.sqlite is damaged .* delete it"):
        USES[use](file)


@pytest.mark.parametrize("use", [use for use in USES if "only" not in use])
def test_a_folder_in_its_place_is_named(tmp_path: Path, use: str) -> None:
    """What cannot be opened is not called damaged."""
    (tmp_path / "store.sqlite").mkdir()
    with pytest.raises(PortraitPipelineError, match="cannot be written"):
        USES[use](tmp_path / "store.sqlite")


@pytest.mark.parametrize("use", ["write detections", "write embeddings"])
def test_a_store_in_use_is_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use: str
) -> None:
    """Another process that keeps it busy is told apart."""
    monkeypatch.setattr(sqlite_file, "SECONDS_TO_WAIT", 0.0)
    file = tmp_path / "store.sqlite"
    USES[use](file)
    busy = sqlite3.connect(file)
    busy.execute("BEGIN EXCLUSIVE")
    with pytest.raises(PortraitPipelineError, match="in use by another process"):
        USES[use](file)
    busy.close()


def test_a_full_disk_is_told(small_disk: Path) -> None:
    """What does not fit is not kept, and the store stays whole."""
    store = SqliteEmbeddingStore(small_disk / "e.sqlite")
    store.put("net", {"a": PAIR})
    large = np.ones((2, 500_000), dtype=np.float32)
    with pytest.raises(PortraitPipelineError, match="free space"):
        store.put("net", {"b": large})
    assert store.get("net", ["a", "b"]).keys() == {"a"}


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "{}", "null", '{"content_hash": "a"}', "[" * 10**5),
        RECORD.to_json().replace('"width_px": 0', '"width_px": null'),
        RECORD.to_json().replace('"empty"', "[]"),
        RECORD.to_json().replace('"detail": ""', '"detail": 5'),
        RECORD.to_json().replace('"detection": null', '"detection": {"box": [1]}'),
        RECORD.to_json().replace('"detection": null', '"detection": 5'),
    ],
)
def test_a_spoilt_record_is_measured_again(tmp_path: Path, text: str) -> None:
    """A row that cannot be read is not known, and the next put replaces it."""
    store = SqliteDetectionStore(tmp_path / "d.sqlite")
    store.put({"a": RECORD, "b": RECORD})
    with sqlite3.connect(tmp_path / "d.sqlite") as connection:
        connection.execute("UPDATE records SET record = ? WHERE key = 'a'", [text])
    connection.close()
    assert store.get(["a", "b"]).keys() == {"b"}
    store.put({"a": RECORD})
    assert store.get(["a", "b"]).keys() == {"a", "b"}


@pytest.mark.parametrize("value", [b"", b"123", "text", 7])
def test_a_spoilt_pair_is_made_again(tmp_path: Path, value: object) -> None:
    """Bytes that are no two embeddings are not known."""
    store = SqliteEmbeddingStore(tmp_path / "e.sqlite")
    store.put("net", {"a": PAIR, "b": PAIR})
    with sqlite3.connect(tmp_path / "e.sqlite") as connection:
        connection.execute("UPDATE embeddings SET pair = ? WHERE picture = 'a'", [value])
    connection.close()
    assert store.get("net", ["a", "b"]).keys() == {"b"}
