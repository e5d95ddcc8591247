"""What a model is set beside: bounds, chance, and pictures altered without any learning."""

from collections.abc import Callable

import numpy as np

from portrait_pipeline.images import FaceSet
from portrait_pipeline.scoring.altered import (
    MODE_RADII,
    blurred,
    darkened,
    grainy,
    mode_filtered,
    with_inner_faces_of,
    with_palettes,
)
from portrait_pipeline.scoring.draws import derangements, random_subsets
from portrait_pipeline.scoring.reference import Pixels, Reference
from portrait_pipeline.scoring.scores import (
    Metrics,
    average,
    measure_deception,
    measure_style,
    score_pictures,
    summarise,
    summarise_pairs,
)

NUM_DRAWS = 8
"""Draws over which floor and chance are averaged."""

FILTERS = tuple(f"filter_{size}" for size in MODE_RADII)
MUST_NOT_PASS = (
    "photo_itself",
    "recoloured_photos",
    "blurred_photos",
    "grainy_photos",
    "darkened_photos",
)
"""Of each of these the classifier of paintings may take at most a fifth for paintings."""
MAX_PASSING = 0.2

UNTRAINED = ("photo_itself", "recoloured_photos", *FILTERS)
"""Controls that keep the person and learn nothing: a model has to beat them all."""


def score_all_controls(reference: Reference) -> dict[str, Metrics]:
    """Measure every control, by its name in the tables.

    `photo_itself`, `recoloured_photos` and the filters keep the person and paint nothing;
    `blurred_photos`, `grainy_photos` and `darkened_photos` are shown to the classifier only;
    `swapped_faces` have another person's inner face; `shuffled_pairs` are chance; `painted_twin`,
    on the sample, is the truth; `real_paintings` are the floor of the distances.
    """
    rows = {
        name: _summarise(reference, make(reference)) for name, make in _altered_photos().items()
    }
    return {
        "photo_itself": _summarise(reference, reference.photo_pixels),
        "shuffled_pairs": _measure_chance(reference),
        **_measure_twins(reference),
        **rows,
        **_measure_what_must_not_pass(reference),
        "real_paintings": _measure_floor(reference),
    }


def _altered_photos() -> dict[str, Callable[[Reference], Pixels]]:
    filters = {
        name: _filtered_by(radius)
        for name, radius in zip(FILTERS, MODE_RADII.values(), strict=True)
    }
    return {"recoloured_photos": _recoloured, **filters, "swapped_faces": _swapped}


def _recoloured(reference: Reference) -> Pixels:
    others = _pixels(reference.other_paintings)
    return with_palettes(reference.photo_pixels, others, reference.settings.seed)


def _filtered_by(radius: float) -> Callable[[Reference], Pixels]:
    def filtered(reference: Reference) -> Pixels:
        photos = mode_filtered(reference.photo_pixels, radius)
        return with_palettes(photos, _pixels(reference.other_paintings), reference.settings.seed)

    return filtered


def _swapped(reference: Reference) -> Pixels:
    photos = reference.photo_pixels
    order = derangements(len(photos), 1, reference.settings.seed)[0]
    landmarks = reference.photo_landmarks
    both = np.concatenate([landmarks, landmarks[order]])
    return with_inner_faces_of(photos, both, photos[order])


def _measure_what_must_not_pass(reference: Reference) -> dict[str, Metrics]:
    """Show the classifier of paintings photographs that nobody would take for one."""
    photos, seed = reference.photo_pixels, reference.settings.seed
    altered = {
        "blurred_photos": blurred(photos),
        "grainy_photos": grainy(photos, seed),
        "darkened_photos": darkened(photos),
    }
    measured = {name: measure_deception(reference, made) for name, made in altered.items()}
    return {name: metrics for name, metrics in measured.items() if metrics}


def _summarise(reference: Reference, pictures: Pixels) -> Metrics:
    return summarise(reference, score_pictures(reference, pictures), pictures)


def _measure_twins(reference: Reference) -> dict[str, Metrics]:
    if len(reference.twins) != len(reference.photos):
        return {}
    return {"painted_twin": _summarise(reference, _pixels(reference.twins))}


def _measure_chance(reference: Reference) -> Metrics:
    """Give each photograph another's as its portrait, in several random orders, and average."""
    photos = reference.photo_pixels
    several = []
    for order in derangements(len(photos), NUM_DRAWS, reference.settings.seed):
        scores = score_pictures(reference, photos[order])
        several.append(summarise_pairs(reference, scores, photos[order]))
    return {**average(several), **measure_style(reference, photos)}


def _measure_floor(reference: Reference) -> Metrics:
    """Measure sets of other real paintings, as large as that of the photographs, and average."""
    others = _pixels(reference.other_paintings)
    size = min(len(reference.photos), len(others))
    draws = random_subsets(len(others), size, NUM_DRAWS, reference.settings.seed)
    samples = max(1, reference.settings.num_bootstrap_samples // NUM_DRAWS)
    return average([measure_style(reference, others[rows], samples) for rows in draws])


def _pixels(faces: FaceSet) -> Pixels:
    return faces[np.arange(len(faces))]
