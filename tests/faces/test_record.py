"""Measurements by law, and records that survive being written down."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.ingestion import FACES, face_at

from portrait_pipeline.datasets.detection_store import SqliteDetectionStore
from portrait_pipeline.faces.detection import Finding
from portrait_pipeline.faces.record import (
    PictureRecord,
    colourfulness,
    luminance,
    measure,
    sharpness,
    without_picture,
)
from portrait_pipeline.pictures import ReducedPicture


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (80, 80, 3), dtype=np.uint8)


def test_a_record_is_read_back_exactly() -> None:
    """JSON keeps every bit of every number, with and without a face."""
    picture = ReducedPicture(Image.fromarray(noise()), 160, 160)
    record = measure("abc", picture, Finding(face_at(10.1, 20.2, 63.7), None), FACES)
    assert PictureRecord.from_json(record.to_json()) == record
    broken = PictureRecord.from_json(without_picture("abc", "truncated", "cut off").to_json())
    assert (broken.fault, broken.detection, broken.width_px) == ("truncated", None, 0)


def test_luminance_of_grey_is_its_value() -> None:
    """Black is 0, white is 1, and the weights add up to 1."""
    ramp = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    assert np.allclose(luminance(ramp)[0], np.arange(256) / 255)


def test_blur_lowers_sharpness() -> None:
    """A flat picture has none, and every blur takes some away."""
    sharp = Image.fromarray(noise())
    blurred = sharp.resize((40, 40), Image.Resampling.BOX).resize((80, 80))
    assert sharpness(np.full((9, 9, 3), 77, dtype=np.uint8)) == pytest.approx(0.0, abs=1e-12)
    assert sharpness(np.asarray(blurred)) < sharpness(np.asarray(sharp)) / 4


def test_prints_have_no_colour() -> None:
    """Grey, sepia and bluish prints are near 0; a picture of two hues is not."""
    grey = np.asarray(Image.fromarray(noise()[..., 0]).convert("RGB"), dtype=float)
    for ink in ((1.0, 1.0, 1.0), (1.0, 0.9, 0.7), (0.8, 0.9, 1.0)):
        assert colourfulness((grey * ink).astype(np.uint8)) < 0.01
    hues = np.random.default_rng(0).integers(0, 255, (5, 5, 3), dtype=np.uint8)
    assert colourfulness(hues.repeat(16, axis=0).repeat(16, axis=1)) > 0.1


def test_colour_does_not_fade_in_the_dark() -> None:
    """A picture at a quarter of its light is as colourful as before, to within rounding."""
    hues = np.random.default_rng(0).integers(0, 255, (5, 5, 3), dtype=np.uint8)
    bright = hues.repeat(16, axis=0).repeat(16, axis=1)
    assert colourfulness(bright // 4) == pytest.approx(colourfulness(bright), rel=0.05)


def test_no_mutation_of_a_record_is_taken_for_one_of_another_kind(tmp_path: Path) -> None:
    """Law: a record with changed letters is not known, or has a value of its kind everywhere."""
    draw, store = np.random.default_rng(0), SqliteDetectionStore(tmp_path / "d.sqlite")
    found = Finding(face_at(10.0, 20.0, 40.0), None)
    picture = ReducedPicture(Image.fromarray(noise()), 160, 160)
    text = measure("abc", picture, found, FACES).to_json()
    mutated = {}
    for number in range(400):
        letters = list(text)
        for place in draw.integers(0, len(text), draw.integers(1, 5)):
            letters[place] = draw.choice(list('"0{}[],:nultrea-'))
        mutated[str(number)] = "".join(letters)
    with sqlite3.connect(tmp_path / "d.sqlite") as connection:
        connection.executemany("INSERT INTO records VALUES (?, ?)", mutated.items())
    connection.close()
    known = store.get(list(mutated))
    assert 0 < len(known) < 400
    for record in known.values():
        assert (record.detail + record.content_hash + (record.fault or "")).isprintable()
        assert int(record.width_px * record.height_px) >= 0
        assert record.sharpness + record.brightness + record.colourfulness > -1e300
        assert record.detection is None or len(record.detection.box) == 4
