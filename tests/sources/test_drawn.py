"""The embedded sample as files: the same for the same seed, drawn once."""

import hashlib
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from portrait_pipeline.parameters import SampleParameters
from portrait_pipeline.sources import drawn
from portrait_pipeline.sources.drawn import draw_sample

SAMPLE = SampleParameters(num_photos=3, num_paintings=2, picture_size_px=64, seed=1)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """Draw flat pictures, in no time, and write down what was drawn."""
    made: list[tuple[int, int, int]] = []

    def painting(index: int, seed: int, size_px: int) -> np.ndarray:
        made.append((index, seed, size_px))
        return np.full((size_px, size_px, 3), 10 * index + seed, np.uint8)

    def photo(index: int, seed: int, size_px: int) -> SimpleNamespace:
        pixels = painting(index, seed, size_px)
        return SimpleNamespace(photo=pixels, painted_twin=255 - pixels)

    monkeypatch.setattr(drawn.drawing, "draw_photo", photo)
    monkeypatch.setattr(drawn.drawing, "draw_painting", painting)
    return made


def test_photos_have_twins(calls: list[tuple[int, int, int]], tmp_path: Path) -> None:
    """Each photo lies beside its painted twin, under the same name."""
    table = draw_sample(SAMPLE, "photo", tmp_path)
    assert list(table["name"]) == [f"photo_0000{index}.png" for index in range(3)]
    for _, row in table.iterrows():
        photo, twin = (np.asarray(Image.open(row[column])) for column in ("path", "twin_path"))
        assert (photo + twin == 255).all()
        assert photo.shape == (64, 64, 3)


def test_portraits_have_none(calls: list[tuple[int, int, int]], tmp_path: Path) -> None:
    """A painting has no twin."""
    table = draw_sample(SAMPLE, "painting", tmp_path)
    assert table["twin_path"].isna().all()
    assert len(table) == 2


def test_drawn_once(calls: list[tuple[int, int, int]], tmp_path: Path) -> None:
    """What is there is not drawn again; what is missing, a twin too, is; more are added."""
    table = draw_sample(SAMPLE, "photo", tmp_path)
    assert draw_sample(SAMPLE, "photo", tmp_path).equals(table)
    assert len(calls) == 3
    os.unlink(table["twin_path"][1])
    draw_sample(SAMPLE.model_copy(update={"num_photos": 4}), "photo", tmp_path)
    assert calls[3:] == [(1, 1, 64), (3, 1, 64)]


@pytest.mark.parametrize("change", [{"seed": 2}, {"picture_size_px": 65}])
def test_other_settings_draw_anew(
    change: dict[str, int], calls: list[tuple[int, int, int]], tmp_path: Path
) -> None:
    """With another seed or size nothing of the old pictures stays."""
    draw_sample(SAMPLE, "photo", tmp_path)
    draw_sample(SAMPLE.model_copy(update=change | {"num_photos": 1}), "photo", tmp_path)
    assert len(calls) == 4
    assert os.listdir(tmp_path / "photos") == ["photo_00000.png"]


def test_interrupted(
    calls: list[tuple[int, int, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped between two pictures, the next call draws only the rest."""
    draw = drawn.drawing.draw_painting

    def stop_at_1(index: int, seed: int, size_px: int) -> np.ndarray:
        if index == 1:
            raise KeyboardInterrupt
        return draw(index, seed, size_px)

    with monkeypatch.context() as patched:
        patched.setattr(drawn.drawing, "draw_painting", stop_at_1)
        with pytest.raises(KeyboardInterrupt):
            draw_sample(SAMPLE, "painting", tmp_path)
    draw_sample(SAMPLE, "painting", tmp_path)
    assert [index for index, *_ in calls] == [0, 1]


def test_processes_draw_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real pictures are the same bytes from one process and from two."""

    def digests(folder: Path) -> list[str]:
        table = draw_sample(SAMPLE, "painting", folder)
        return [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in table["path"]]

    alone = digests(tmp_path / "alone")
    monkeypatch.setattr(drawn, "NUM_PICTURES_WORTH_A_PROCESS", 1)
    monkeypatch.setattr(drawn, "available_cores", lambda: 2)
    assert digests(tmp_path / "together") == alone
    assert len(set(alone)) == 2
