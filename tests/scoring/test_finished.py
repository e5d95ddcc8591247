"""A model trained elsewhere is scored on photographs that are new to it, or not at all."""

import logging
from dataclasses import replace

import imagehash
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from support.stand_in_reference import NAMES, SIZE_PX, drawn, make_reference

from portrait_pipeline.scoring.finished import FinishedModel, score_finished, unseen
from portrait_pipeline.scoring.reference import Pixels

pytestmark = pytest.mark.usefixtures("few_directions")

PHOTOS = drawn(0)


def perceptual_hash(pixels: Pixels) -> str:
    return str(imagehash.phash(Image.fromarray(pixels)))


AUDIT = pd.DataFrame(
    {
        "name": [*NAMES, NAMES[0]],
        "domain": ["photo"] * len(NAMES) + ["painting"],
        "perceptual_hash": [*map(perceptual_hash, PHOTOS), "0" * 16],
    }
)


def inverted(crops: Pixels) -> Pixels:
    assert crops.shape[1:3] == (96, 96)
    return 255 - crops


MODEL = FinishedModel("shipped_model", inverted, 96, "dlib", ["f" * 16])


def test_a_copy_at_another_resolution_is_seen() -> None:
    """Enlarged and coded again, a photograph is still the one that was trained on."""
    copies = [Image.fromarray(photo).resize((150, 150)) for photo in PHOTOS[2:5]]
    seen = [str(imagehash.phash(copy)) for copy in copies]
    assert set(unseen(make_reference().photos, AUDIT, seen)) == {*NAMES[:2], *NAMES[5:]}


def test_its_row_counts_the_photographs_that_are_new_to_it() -> None:
    """It paints at its own size and is scored at that of the crops, as any model is."""
    seen = [perceptual_hash(photo) for photo in PHOTOS[:3]]
    summary = score_finished(make_reference(), AUDIT, replace(MODEL, training_photos=seen))
    assert summary is not None
    assert (summary["model"], summary["n"]) == ("shipped_model", len(NAMES) - 3)
    assert summary["metrics"]["ssim"]["value"] < 0.9
    kept = replace(MODEL, paint=lambda crops: crops, size_px=SIZE_PX)
    same = score_finished(make_reference(), AUDIT, kept)
    assert same is not None
    assert same["metrics"]["ssim"]["value"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"teacher": "geometry"}, "geometry trained it"),
        ({"training_photos": []}, "does not say"),
        ({"training_photos": list(map(perceptual_hash, PHOTOS))}, "0 of the photographs are new"),
    ],
)
def test_what_cannot_be_judged_fairly_is_said_and_left_out(
    changes: dict[str, object], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The judge taught it, it does not say what it has seen, or it has seen all of them."""
    caplog.set_level(logging.INFO)
    assert score_finished(make_reference(), AUDIT, replace(MODEL, **changes)) is None  # type: ignore[arg-type]
    assert reason in caplog.text


def test_the_crops_shown_are_those_of_the_photographs() -> None:
    """The order of the reference stays: portrait and photograph belong together."""
    reference = make_reference()
    shown = reference.of_photos(NAMES[::2])
    assert np.array_equal(shown.photo_pixels, PHOTOS[::2])
