"""Laws of the journal: what was put is there, whatever else the file holds."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from portrait_pipeline.datasets.detection_journal import (
    DetectionJournal,
    DetectionJournalDataset,
)
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.record import PictureRecord


def record(number: int) -> PictureRecord:
    return PictureRecord(f"{number:064x}", None, 10, 20, "ab", 0.1 * number, 0.2, 0.3)


def test_what_was_put_is_there_for_the_next_worker(tmp_path: Path) -> None:
    """Law: also from several threads; what was not put is absent."""
    file = tmp_path / "a" / "photo_0000.jsonl"
    journal = DetectionJournal(file)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: journal.put({f"k{n}": record(n)}), range(40)))
    keys = [f"k{n}" for n in range(41)]
    expected = {f"k{n}": record(n) for n in range(40)}
    assert journal.get(keys) == expected
    assert DetectionJournal(file).get(keys) == expected


@pytest.mark.parametrize("kept", range(0, 120, 7))
def test_a_torn_line_costs_one_record(tmp_path: Path, kept: int) -> None:
    """Law: wherever the last line is torn, those before it are there, and new ones are whole."""
    file = tmp_path / "photo_0000.jsonl"
    DetectionJournal(file).put({"first": record(1)})
    whole = file.read_bytes()
    DetectionJournal(file).put({"second": record(2)})
    file.write_bytes(file.read_bytes()[: len(whole) + kept])
    journal = DetectionJournal(file)
    assert journal.get(["first", "second"]) == {"first": record(1)}
    journal.put({"third": record(3)})
    assert DetectionJournal(file).get(["first", "third"]) == {
        "first": record(1),
        "third": record(3),
    }


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"no record\n", b"k {}\n", b'k "text"\n', b"k [1]\n", b"\n\n"]
)
def test_a_foreign_line_is_no_record(tmp_path: Path, content: bytes) -> None:
    """Law: it is passed over, and the file can be written on."""
    file = tmp_path / "photo_0000.jsonl"
    file.write_bytes(content)
    journal = DetectionJournal(file)
    assert journal.get(["k", "no"]) == {}
    journal.put({"k": record(1)})
    assert DetectionJournal(file).get(["k"]) == {"k": record(1)}


def test_a_full_disk_is_one_sentence(small_disk: Path) -> None:
    """The file is named, and what to do."""
    journal = DetectionJournal(small_disk / "photo_0000.jsonl")
    many = {f"{n:0200d}": record(n) for n in range(5000)}
    with pytest.raises(PortraitPipelineError, match=r"photo_0000.jsonl cannot be written.*free"):
        journal.put(many)


def test_the_dataset_hands_out_the_journal(tmp_path: Path) -> None:
    """It is there once something was put; it is never saved."""
    dataset = DetectionJournalDataset(filepath=str(tmp_path / "x.jsonl"))
    assert not dataset.exists()
    dataset.load().put({"k": record(1)})
    assert dataset.exists()
    assert dataset.load().get(["k"]) == {"k": record(1)}
