"""The headline table: the models, each number on a scale from the worst to the best control."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from portrait_pipeline.report.measures import BY_KEY, HEADLINE_KEYS, Measure
from portrait_pipeline.report.models import family_of, model_label
from portrait_pipeline.report.style import model_colours
from portrait_pipeline.report.tables import (
    Cell,
    make_cells,
    number_of,
    rows_by_model,
)
from portrait_pipeline.report.verdict import trained_models
from portrait_pipeline.report.wording import write_measurement

THEMED = {name: f"var(--{name})" for name in ("baseline", "proposed")}
"""Their colours are those of the page's theme, light, dark or printed."""


@dataclass(frozen=True)
class HeadlineModel:
    """A column of the headline: the first seed of a model, and its colour in CSS."""

    name: str
    label: str
    colour: str


@dataclass(frozen=True)
class Mark:
    """A point of the small scale beside a number, in per cent of the scale's length.

    `kind` is the model, or `painted_twin`.
    """

    kind: str
    colour: str
    at: float
    low: float
    high: float


@dataclass(frozen=True)
class HeadlineRow:
    """One measure of the headline: every model, and the scale from chance to the best possible."""

    measure: Measure
    cells: tuple[Cell, ...]
    marks: tuple[Mark, ...]
    scale_ends: tuple[str, str]


def headline_models(comparison: pd.DataFrame) -> tuple[HeadlineModel, ...]:
    """List the columns: the first seed of each trained model."""
    trained = trained_models(comparison)
    colours = model_colours(trained) | THEMED
    return tuple(
        HeadlineModel(name, model_label(name), colours[name])
        for name in trained
        if family_of(name) == name
    )


def headline_rows(comparison: pd.DataFrame) -> tuple[HeadlineRow, ...]:
    """Set the models side by side, each number on its scale from bad to best."""
    rows = rows_by_model(comparison)
    shown = headline_models(comparison)
    models = [rows[model.name] for model in shown]
    keys = [key for key in _headline_keys(comparison) if _is_measured(models, key)]
    return tuple(
        HeadlineRow(
            measure=BY_KEY[key],
            cells=make_cells(models, BY_KEY[key]),
            marks=_place_marks(rows, shown, BY_KEY[key]),
            scale_ends=_name_scale_ends(rows, BY_KEY[key]),
        )
        for key in keys
    )


def headline_gaps(comparison: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    """Name the measures of the headline that no model has, each with the reason."""
    rows = rows_by_model(comparison)
    models = [rows[model.name] for model in headline_models(comparison)]
    keys = [key for key in _headline_keys(comparison) if not _is_measured(models, key)]
    return tuple(
        (BY_KEY[key].label, make_cells(models, BY_KEY[key])[0].why_missing) for key in keys
    )


def _headline_keys(comparison: pd.DataFrame) -> tuple[str, ...]:
    """Add the teacher's own score where no second recogniser judged: shown only as such."""
    judged = "identity_similarity" in comparison and comparison["identity_similarity"].notna().any()
    if judged and "geometry" not in set(comparison.get("judge", ())):
        return HEADLINE_KEYS
    return (*HEADLINE_KEYS, "teacher_similarity")


def _is_measured(models: Sequence[Mapping[Any, Any]], key: str) -> bool:
    return any(not math.isnan(number_of(row, key)) for row in models)


def _scale(rows: Mapping[str, Mapping[Any, Any]], measure: Measure) -> tuple[float, float]:
    """Find the values of a measure that lie at the left (bad) and right (best) end."""
    if measure.unit == "percent" and not measure.worst:
        return 0.0, 1.0
    bad = number_of(rows.get(measure.worst, {}), measure.key)
    best = number_of(rows.get(measure.best, {}), measure.key)
    return bad, best


def _place_marks(
    rows: Mapping[str, Mapping[Any, Any]], models: Sequence[HeadlineModel], measure: Measure
) -> tuple[Mark, ...]:
    bad, best = _scale(rows, measure)
    if not math.isfinite(bad - best) or bad == best:
        return ()

    def place(value: float) -> float:
        return min(max(100.0 * (value - bad) / (best - bad), 0.0), 100.0)

    marks = []
    colours = {"painted_twin": "var(--truth)"} | {model.name: model.colour for model in models}
    for model, colour in colours.items():
        row = rows.get(model, {})
        value = number_of(row, measure.key)
        if math.isnan(value):
            continue
        ends = [number_of(row, measure.key + end) for end in ("_low", "_high")]
        low, high = sorted(place(value if math.isnan(end) else end) for end in ends)
        marks.append(Mark(model, colour, place(value), low, high))
    return tuple(marks)


def _name_scale_ends(rows: Mapping[str, Mapping[Any, Any]], measure: Measure) -> tuple[str, str]:
    names = {
        "shuffled_pairs": "chance",
        "photo_itself": "photo",
        "real_paintings": "real paintings",
    }
    bad, best = _scale(rows, measure)
    if not math.isfinite(bad - best) or bad == best:
        return "", ""
    texts = (write_measurement(end, math.nan, math.nan, measure.unit)[0] for end in (bad, best))
    left, right = texts
    return (
        f"{names.get(measure.worst, '')} {left}".strip(),
        f"{names.get(measure.best if measure.worst else '', '')} {right}".strip(),
    )
