"""The first sentence of the page: does any model do what a filter, or nothing at all, does not?"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from portrait_pipeline.report.measures import BY_KEY, Measure
from portrait_pipeline.report.models import model_label
from portrait_pipeline.report.tables import number_of, rows_by_model
from portrait_pipeline.report.wording import within_a_sentence, write_measurement
from portrait_pipeline.scoring.controls import MAX_PASSING, MUST_NOT_PASS, UNTRAINED

DISTANCES = ("kid", "swd")

Row = Mapping[Any, Any]


def trained_models(comparison: pd.DataFrame) -> list[str]:
    """List the rows that are trained models: those whose λ_p is known, reconstructions aside."""
    rows = rows_by_model(comparison)
    return [
        name
        for name, row in rows.items()
        if not math.isnan(number_of(row, "lambda_perceptual"))
        and not name.endswith("_reconstruction")
    ]


def word_verdict(comparison: pd.DataFrame, models: Sequence[str]) -> str:
    """Say in one sentence whether a control that learns nothing beats the models.

    The best model is the one closest to paintings. A control beats it by being closer still, by
    the first distance that both have; all such controls keep the person, since they alter the
    photograph only. The model beats a control where their intervals do not meet.

    Args:
        comparison: The table of models and controls.
        models: The rows that are trained models.
    """
    rows = rows_by_model(comparison)
    measure = _first_distance(rows, models)
    if measure is None:
        return "The distance of the portraits to real paintings was not measured."
    measured = [name for name in models if _is_known(rows.get(name, {}), measure)]
    best = min(measured, key=lambda name: number_of(rows[name], measure.key))
    best_distance = number_of(rows[best], measure.key)
    controls = [name for name in UNTRAINED if _is_known(rows.get(name, {}), measure)]
    beating = [name for name in controls if number_of(rows[name], measure.key) < best_distance]
    told = f"{model_label(best)} ({_write(rows[best], measure)})"
    distance = within_a_sentence(measure.label)
    if not beating:
        return f"By {distance} the portraits of {told} {_word_lead(rows, best, controls, measure)}."
    return (
        f"No model paints: by {distance} even the best, {told}, is farther from real paintings"
        f" than {_list(rows, beating, measure)}, for which nothing was learnt."
    )


def _word_lead(
    rows: Mapping[str, Row], best: str, controls: Sequence[str], measure: Measure
) -> str:
    """Say which controls a model beats, and which ones the pictures do not tell from it."""
    high = number_of(rows[best], f"{measure.key}_high")
    near = [name for name in controls if number_of(rows[name], f"{measure.key}_low") <= high]
    beaten = [name for name in controls if name not in near]
    if not near:
        told = _list(rows, beaten, measure)
        return f"are closer to real paintings than everything that learns nothing: {told}"
    untold = f"are not told apart from {_list(rows, near, measure)}, for which nothing was learnt"
    if not beaten:
        return untold
    return f"are closer to real paintings than {_list(rows, beaten, measure)}, but {untold}"


def word_deception(comparison: pd.DataFrame) -> str:
    """Say whether the deception rate may be read: photographs must not pass for paintings.

    Empty where no classifier was asked.
    """
    measure = BY_KEY["deception_rate"]
    rows = rows_by_model(comparison)
    known = [name for name in MUST_NOT_PASS if _is_known(rows.get(name, {}), measure)]
    if not known:
        return ""
    passing = [name for name in known if number_of(rows[name], measure.key) > MAX_PASSING]
    if not passing:
        return (
            f"Of held-out and altered photos the classifier takes at most {MAX_PASSING:.0%} for"
            f" paintings ({_list(rows, known, measure)}), so its rate may be read beside the"
            " distances, never alone."
        )
    return (
        f"The rate “{measure.label}” says nothing here: the classifier also takes for paintings"
        f" {_list(rows, passing, measure)}, and at most {MAX_PASSING:.0%} may pass."
    )


def _first_distance(rows: Mapping[str, Row], models: Sequence[str]) -> Measure | None:
    for key in DISTANCES:
        measure = BY_KEY[key]
        known = [_is_known(rows.get(name, {}), measure) for name in models]
        if any(known) and _is_known(rows.get("photo_itself", {}), measure):
            return measure
    return None


def _is_known(row: Row, measure: Measure) -> bool:
    return not math.isnan(number_of(row, measure.key))


def _list(rows: Mapping[str, Row], names: Sequence[str], measure: Measure) -> str:
    told = [
        f"{within_a_sentence(model_label(name))} ({_write(rows[name], measure)})" for name in names
    ]
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"


def _write(row: Row, measure: Measure) -> str:
    value, low, high = (number_of(row, f"{measure.key}{end}") for end in ("", "_low", "_high"))
    return " ".join(part for part in write_measurement(value, low, high, measure.unit) if part)
