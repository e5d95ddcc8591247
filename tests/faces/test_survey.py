"""The survey measures every file once, goes on where it was, and keeps order."""

import os
from pathlib import Path

import pytest
from PIL import Image
from support.ingestion import FACES as USUAL
from support.ingestion import CentreFinder, MemoryStore, noise_pictures
from support.picture_files import encoded, many_scans, noise

from portrait_pipeline.faces import record as records_of_pictures
from portrait_pipeline.faces.detect import FaceDetector
from portrait_pipeline.faces.record import PictureRecord, record_key
from portrait_pipeline.faces.survey import survey_pictures
from portrait_pipeline.sample import draw_photo

FACES = USUAL.model_copy(update={"batch_size": 2})


def run(paths: list[str], store: MemoryStore) -> tuple[list[PictureRecord], int]:
    finder = CentreFinder()
    return list(survey_pictures(paths, finder, store, FACES)), finder.seen


def test_records_come_in_the_order_of_the_files(tmp_path: Path) -> None:
    """Whatever the threads do, record i is of file i."""
    paths = noise_pictures(tmp_path, 30)["path"].tolist()
    records, _ = run(paths, MemoryStore())
    alone = [run([path], MemoryStore())[0][0] for path in paths[::7]]
    assert records[::7] == alone
    assert len({record.content_hash for record in records}) == 30


def test_a_second_run_looks_at_nothing(tmp_path: Path) -> None:
    """Known files are not searched again, and the records are the same."""
    paths = noise_pictures(tmp_path, 12)["path"].tolist()
    store = MemoryStore()
    first, seen = run(paths, store)
    second, again = run(paths, store)
    assert (seen, again) == (12, 0)
    assert first == second


def test_only_what_changed_is_searched_again(tmp_path: Path) -> None:
    """A changed file and a new one are searched, a renamed one is not."""
    table = noise_pictures(tmp_path, 12)
    store = MemoryStore()
    run(table["path"].tolist(), store)
    Image.new("RGB", (64, 64), (200, 30, 30)).save(table["path"][3])
    Path(table["path"][5]).rename(tmp_path / "renamed.png")
    new = noise_pictures(tmp_path, 1, first=50)["path"].tolist()
    paths = [*table["path"].drop(5), str(tmp_path / "renamed.png"), *new]
    _, seen = run(paths, store)
    assert seen == 2


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path) -> None:
    """Killed in the middle, the second run searches only what is not yet in the store."""
    paths = noise_pictures(tmp_path, 40)["path"].tolist()
    dying = MemoryStore(fail_after=12)
    with pytest.raises(KeyboardInterrupt):
        run(paths, dying)
    done = len(dying.records)
    assert 12 <= done < 40
    dying.fail_after = None
    records, seen = run(paths, dying)
    assert seen == 40 - done
    assert records == run(paths, MemoryStore())[0]


def test_records_are_stored_before_they_are_handed_out(tmp_path: Path) -> None:
    """Whoever stops listening loses nothing that he has heard."""
    paths = noise_pictures(tmp_path, 16)["path"].tolist()
    store = MemoryStore()
    for record in survey_pictures(paths, CentreFinder(), store, FACES):
        assert record_key(record.content_hash, FACES) in store.records


def test_other_parameters_are_other_keys(tmp_path: Path) -> None:
    """What decides a measurement changes the key, what does not leaves it."""
    key = record_key("content", FACES)
    decisive = {"min_probability": 0.5, "min_face_px": 30, "detection_size_px": 128, "margin": 0.2}
    decisive |= {"fit_in_picture": False}
    for name, value in decisive.items():
        assert record_key("content", FACES.model_copy(update={name: value})) != key
    for name, value in {"batch_size": 9, "crop_size_px": 32, "no_face": "centre"}.items():
        assert record_key("content", FACES.model_copy(update={name: value})) == key


def test_another_search_is_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was stored before the search changed is not taken for what it finds now."""
    key = record_key("content", FACES)
    version = records_of_pictures.RECORD_VERSION + 1
    monkeypatch.setattr(records_of_pictures, "RECORD_VERSION", version)
    assert record_key("content", FACES) != key


def test_broken_files_are_rows_like_all_others(tmp_path: Path) -> None:
    """Empty, foreign and missing files are told apart and stop nothing."""
    good = noise_pictures(tmp_path, 2)["path"].tolist()
    empty, text = tmp_path / "empty.jpg", tmp_path / "text.jpg"
    empty.touch()
    text.write_text("no picture")
    paths = [good[0], str(empty), str(text), str(tmp_path / "gone.jpg"), good[1]]
    records, _ = run(paths, MemoryStore())
    faults = [record.fault for record in records]
    assert faults == [None, "empty", "not an image", "unreadable", None]


def test_equal_files_are_measured_once(tmp_path: Path) -> None:
    """Copies under other names in one batch share one measurement."""
    source = Path(noise_pictures(tmp_path, 1)["path"][0])
    copies = [tmp_path / f"copy {index}.png" for index in range(3)]
    for copy in copies:
        copy.write_bytes(source.read_bytes())
    records, seen = run([str(source), *map(str, copies)], MemoryStore())
    assert seen == 1
    assert len(set(records)) == 1


def test_what_is_no_regular_file_is_a_row(tmp_path: Path) -> None:
    """A folder, a pipe, a device and a file beyond the limit each say so; the others go on."""
    good = noise_pictures(tmp_path, 2)["path"].tolist()
    folder, pipe, sparse = tmp_path / "folder.jpg", tmp_path / "pipe.jpg", tmp_path / "sparse.jpg"
    folder.mkdir()
    with sparse.open("wb") as file:
        file.truncate(100 * 10**9)
    paths = [good[0], str(folder), str(sparse)]
    details = ["", "a folder", "MB"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(pipe)
        paths += [str(pipe), "/dev/zero"]
        details += ["a pipe or a device"] * 2
    records, _ = run([*paths, good[1]], MemoryStore())
    faults = [record.fault for record in records]
    assert faults[:3] == [None, "not a file", "too large"]
    assert set(faults[3:-1]) <= {"not a file"}
    assert faults[-1] is None
    assert all(word in row.detail for word, row in zip(details, records[:-1], strict=True))


def test_small_and_broken_files_stop_nobody(tmp_path: Path) -> None:
    """Tiny, thin and hostile pictures are rows of a real search, between pictures with faces."""
    people = [tmp_path / f"person {index}.png" for index in range(2)]
    for index, path in enumerate(people):
        Image.fromarray(draw_photo(index, 0, 128).photo).save(path)
    odd = {
        "dot.gif": encoded(Image.new("L", (1, 1)), "GIF"),
        "thin.png": encoded(Image.new("RGB", (2000, 3))),
        "line.bmp": encoded(Image.new("RGB", (3, 700)), "BMP"),
        "icon.png": encoded(noise(20, 20)),
        "scans.jpg": many_scans(3000),
        "document.jpg": encoded(noise(64, 64), "EPS"),
        "phone.heic": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
        "cut.avif": encoded(noise(96, 96), "AVIF")[:-60],
    }
    for name, data in odd.items():
        (tmp_path / name).write_bytes(data)
    paths = [str(people[0]), *(str(tmp_path / name) for name in odd), str(people[1])]
    records = list(survey_pictures(paths, FaceDetector(USUAL), MemoryStore(), USUAL))
    faults = [record.fault for record in records]
    assert faults == [
        *[None, "too small", "too small", "too small", "too small"],
        *["too costly", "not an image", "HEIC", "truncated", None],
    ]


def test_what_was_too_costly_is_tried_again(tmp_path: Path) -> None:
    """The store keeps what a file is, not what this machine had no room for."""
    file = tmp_path / "scans.jpg"
    file.write_bytes(many_scans(3000))
    store = MemoryStore()
    assert [record.fault for record in run([str(file)], store)[0]] == ["too costly"]
    assert not store.records
