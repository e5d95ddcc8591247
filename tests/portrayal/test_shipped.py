"""A model that comes with the package works, or a sentence says why not and how to get it back."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portrait_pipeline.portrayal.shipped import (
    CARD,
    NETWORK_FILES,
    PHOTOS_FILE,
    ShippedModelError,
    read_shipped,
    read_shipped_card,
)


@pytest.fixture
def own(model_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model, to be damaged."""
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


def rewrite_card(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    change(card)
    (folder / CARD).write_text(json.dumps(card), encoding="utf-8")


def test_a_whole_model_is_opened(model_folder: Path) -> None:
    """Its card says what it is, and it paints crops of the size that the card says."""
    shipped = read_shipped(model_folder)
    assert shipped.card.title == "proposed 2026.1, 64 px (a test)"
    assert shipped.card == read_shipped_card(model_folder)
    model = shipped.open(num_threads=1)
    assert model.preparation.crop_size_px == shipped.card.size_px == 64
    crops = np.full((2, 64, 64, 3), 90, dtype=np.uint8)
    assert model.painter(crops).shape == crops.shape


@pytest.mark.parametrize("name", [CARD, PHOTOS_FILE, *NETWORK_FILES.values()])
def test_a_missing_file_is_said(own: Path, name: str) -> None:
    """Whichever file is gone, the sentence names it and the command that makes the model again."""
    (own / name).unlink()
    with pytest.raises(ShippedModelError, match=rf"is missing.*{name}.*portrayal\.shipping"):
        read_shipped(own)


@pytest.mark.parametrize("name", NETWORK_FILES.values())
@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "of another model"])
def test_a_damaged_network_is_said(own: Path, name: str, damage: str) -> None:
    """Every network is compared with its hash before it is opened."""
    content = (own / name).read_bytes()
    flipped = bytes([content[0] ^ 1]) + content[1:]
    damaged = {"cut": content[:-1], "flipped": flipped, "empty": b"", "of another model": b"x" * 99}
    (own / name).write_bytes(damaged[damage])
    with pytest.raises(ShippedModelError, match=rf"is damaged \({name} has another SHA-256"):
        read_shipped(own)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "[" * 100_000, "null", '"model"', "{}", '{"name": "x"}']
)
def test_a_card_that_is_none_is_said(own: Path, text: str) -> None:
    """Whatever stands in the card's place."""
    (own / CARD).write_text(text, encoding="utf-8")
    with pytest.raises(ShippedModelError, match="is damaged"):
        read_shipped(own)
    with pytest.raises(ShippedModelError, match="is damaged"):
        read_shipped_card(own)


def test_a_card_without_a_field_names_it(own: Path) -> None:
    """So that a card made by hand can be corrected."""
    rewrite_card(own, lambda card: card.pop("licence"))
    with pytest.raises(ShippedModelError, match="wrong at licence"):
        read_shipped(own)


@pytest.mark.parametrize("other", [0, 2, "1", None])
def test_another_format_is_another_version(own: Path, other: object) -> None:
    """Said as such and not as damage, since the remedy may be an older or newer package."""
    rewrite_card(own, lambda card: card.update(format=other))
    with pytest.raises(ShippedModelError, match="of another version"):
        read_shipped(own)


def test_a_missing_model_of_the_package_names_both_ways_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Install the wheel again, or check the folder out in a clone."""
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    with pytest.raises(ShippedModelError, match=r"comes with .*--force-reinstall.*git checkout"):
        read_shipped()
