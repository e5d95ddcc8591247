"""Scores of a model that was trained elsewhere, on photographs that are new to it."""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from PIL import Image

from portrait_pipeline.images import FaceSet
from portrait_pipeline.metrics.kid import SMALLEST_SET
from portrait_pipeline.scoring.reference import Pixels, Reference
from portrait_pipeline.scoring.scores import score_pictures, summarise
from portrait_pipeline.scoring.summaries import Summary, in_words, summary_of

COPY_BITS = 4
"""Of 64. The pHash of 800 photographs moves by at most 2 bits from one resolution to another, and
the nearest two different ones are 6 bits apart."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FinishedModel:
    """A model that nothing here trains any more.

    Attributes:
        name: In the tables.
        paint: Makes portraits of crops with edges of `size_px`.
        size_px: What it was made for.
        teacher: The face network that trained it, which cannot judge it.
        training_photos: Perceptual hashes, 16 hexadecimal digits each; empty where not known.
    """

    name: str
    paint: Callable[[Pixels], Pixels]
    size_px: int
    teacher: str | None
    training_photos: Collection[str]


def score_finished(
    reference: Reference, audit: pd.DataFrame, model: FinishedModel
) -> Summary | None:
    """Score a model on the photographs of which it has seen no copy, at whatever resolution.

    It paints at its own size; its portraits are scored at that of the crops. Other photographs of
    the people that it was trained on are not told apart.

    Args:
        reference: What models are judged against.
        audit: Of the ingestion: `name`, `domain` and `perceptual_hash` of each picture.
        model: The model.

    Returns:
        The summary, or None, and a log line, where the model cannot be judged fairly.
    """
    names = unseen(reference.photos, audit, model.training_photos)
    if (reason := _why_not(model, reference, names)) is not None:
        logger.info("%s is not judged: %s", model.name, reason)
        return None
    new = reference.of_photos(names)
    portraits = np.concatenate([_painted(model, photo) for photo in new.photo_pixels])
    metrics = summarise(new, score_pictures(new, portraits), portraits)
    logger.info("%s: %s", model.name, in_words(metrics))
    return summary_of(model.name, metrics, new, {})


def unseen(photos: FaceSet, audit: pd.DataFrame, seen: Collection[str]) -> tuple[str, ...]:
    """Name the photographs that are more than `COPY_BITS` from every hash that was seen."""
    words = np.array([int(text, 16) for text in seen], dtype=np.uint64)
    hashes = audit[audit["domain"] == "photo"].set_index("name")["perceptual_hash"]
    own = np.array([int(hashes[name], 16) for name in photos.names], dtype=np.uint64)
    nearest = np.bitwise_count(own[:, None] ^ words).min(axis=1, initial=64)
    return tuple(name for name, bits in zip(photos.names, nearest, strict=True) if bits > COPY_BITS)


def _why_not(model: FinishedModel, reference: Reference, new: tuple[str, ...]) -> str | None:
    if model.teacher == reference.judge_name:
        return f"{model.teacher} trained it"
    if not model.training_photos:
        return "it does not say which photographs it was trained on"
    if len(new) < SMALLEST_SET:
        return f"{len(new)} of the photographs are new to it"
    return None


def _painted(model: FinishedModel, photo: Pixels) -> Pixels:
    portrait = model.paint(_at_size(photo, model.size_px)[None])[0]
    return _at_size(portrait, len(photo))[None]


def _at_size(picture: Pixels, size_px: int) -> Pixels:
    resized = Image.fromarray(picture).resize((size_px, size_px), Image.Resampling.LANCZOS)
    return np.asarray(resized)
