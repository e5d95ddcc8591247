"""The tables of the page: numbers with intervals, or the reason why there is none."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median_high
from typing import Any

import pandas as pd

from portrait_pipeline.report.measures import (
    BY_KEY,
    Measure,
    measures_of,
)
from portrait_pipeline.report.models import model_label, why_not_measured
from portrait_pipeline.report.wording import (
    interval_decimals,
    write_lambda,
    write_measurement,
    write_share,
)
from portrait_pipeline.scoring.table_rows import SPREAD

LAMBDA_KEYS = (
    "identity_similarity",
    "rank_1",
    "landmark_error",
    "kid",
    "swd",
    "ssim",
    "ssim_as_published",
    "lpips",
)


@dataclass(frozen=True)
class Cell:
    """One number of one model: its text and interval, or why it is missing.

    `span` holds its least and greatest value over the model's last checkpoints, where they were
    judged.
    """

    value: str = ""
    interval: str = ""
    why_missing: str = ""
    span: str = ""


TableRow = tuple[str, str, tuple[Cell, ...]]


@dataclass(frozen=True)
class Table:
    """A table whose first column holds labels.

    Attributes:
        columns: Headings: label and a remark beneath it.
        groups: A question and its rows: a label, what it means, one cell for each column.
        notes: The reasons for missing numbers, in the order of their footnotes.
    """

    columns: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, tuple[TableRow, ...]], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class LambdaRow:
    """One λ_p of the tuning table."""

    lambda_text: str
    share_text: str
    epochs: str
    count: str
    is_chosen: bool
    is_other_choice: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class CheckpointRow:
    """One of the last checkpoints of a model, scored separately."""

    model: str
    epoch: str
    count: str
    cells: tuple[Cell, ...]


def number_of(row: Mapping[Any, Any], key: str) -> float:
    """Read a number of a table's row; NaN where the column or the number is missing."""
    value = row.get(key)
    return math.nan if value is None or pd.isna(value) else float(value)


def make_cells(rows: Sequence[Mapping[Any, Any]], measure: Measure) -> tuple[Cell, ...]:
    """Write one number of several models with the same decimals, or say why one is missing.

    A text column `<key>_why` of the table, where there is one, wins over the usual reason.
    """
    numbers = [_interval_of(row, measure.key) for row in rows]
    decimals = [
        interval_decimals(value, low, high, measure.unit)
        for value, low, high in numbers
        if not math.isnan(value)
    ]
    shared = median_high(decimals) if decimals else None
    return tuple(
        _say_why(row, measure)
        if math.isnan(value)
        else Cell(
            *write_measurement(value, low, high, measure.unit, shared),
            span=_write_span(row, measure, shared),
        )
        for row, (value, low, high) in zip(rows, numbers, strict=True)
    )


def _write_span(row: Mapping[Any, Any], measure: Measure, decimals: int | None) -> str:
    ends = number_of(row, f"{measure.key}_min"), number_of(row, f"{measure.key}_max")
    if math.isnan(ends[0] + ends[1]):
        return ""
    texts = [write_measurement(end, math.nan, math.nan, measure.unit, decimals)[0] for end in ends]
    return f"{texts[0]} to {texts[1]}"


def _interval_of(row: Mapping[Any, Any], key: str) -> tuple[float, float, float]:
    return number_of(row, key), number_of(row, f"{key}_low"), number_of(row, f"{key}_high")


def _say_why(row: Mapping[Any, Any], measure: Measure) -> Cell:
    given, usual = row.get(f"{measure.key}_why"), why_not_measured(measure, str(row["model"]))
    is_given = isinstance(given, str) and given and usual == measure.why_missing
    return Cell(why_missing=str(given) if is_given else usual)


def rows_by_model(table: pd.DataFrame) -> dict[str, dict[Hashable, Any]]:
    """Look up the rows of `comparison` by model."""
    return {str(row["model"]): row for row in table.to_dict(orient="records")}


def everything_table(comparison: pd.DataFrame) -> Table:
    """Set every measure against every model and control; reasons become footnotes."""
    rows = list(rows_by_model(comparison).values())
    columns = tuple((model_label(str(row["model"])), _remark(row)) for row in rows)
    groups = tuple(
        (
            group,
            tuple(
                (measure.label, measure.meaning, make_cells(rows, measure)) for measure in measures
            ),
        )
        for group, measures in groupby(
            measures_of(comparison.columns), key=lambda measure: measure.group
        )
    )
    return Table(columns=columns, groups=groups, notes=_collect_notes(groups))


def _remark(row: Mapping[Any, Any]) -> str:
    count, weight = number_of(row, "n"), number_of(row, "lambda_perceptual")
    parts = [] if math.isnan(weight) else [f"λ_p {write_lambda(weight)}"]
    parts += [] if math.isnan(count) else [f"N = {count:.0f}"]
    return ", ".join(parts)


def _collect_notes(groups: Sequence[tuple[str, tuple[TableRow, ...]]]) -> tuple[str, ...]:
    cells = (cell for _, rows in groups for _, _, cells in rows for cell in cells)
    return tuple(dict.fromkeys(cell.why_missing for cell in cells if cell.why_missing))


def lambda_measures(lambda_table: pd.DataFrame) -> tuple[Measure, ...]:
    """Choose the columns of the λ_p table: those that were measured, and SSIM in any case."""
    kept = [key for key in LAMBDA_KEYS if key in lambda_table and lambda_table[key].notna().any()]
    kept += [key for key in ("ssim",) if key not in kept]
    return tuple(BY_KEY[key] for key in LAMBDA_KEYS if key in kept)


def lambda_rows(lambda_table: pd.DataFrame) -> tuple[LambdaRow, ...]:
    """Write the tuning table, the chosen λ_p marked, in rising order of λ_p."""
    if lambda_table.empty:
        return ()
    measures = lambda_measures(lambda_table)
    ordered = lambda_table.sort_values("lambda_perceptual", na_position="last", kind="stable")
    rows = ordered.to_dict(orient="records")
    columns = [make_cells(rows, measure) for measure in measures]
    return tuple(
        LambdaRow(
            lambda_text=write_lambda(number_of(row, "lambda_perceptual")),
            share_text=_share(number_of(row, "perceptual_gradient_share")),
            epochs=_whole(number_of(row, "epochs")),
            count=_whole(number_of(row, "n")),
            is_chosen=row.get("chosen") is True,
            is_other_choice=row.get("chosen_by_other_rule") is True,
            cells=tuple(column[index] for column in columns),
        )
        for index, row in enumerate(rows)
    )


def checkpoint_measures() -> tuple[Measure, ...]:
    """Choose the columns of the table of the last checkpoints."""
    return tuple(BY_KEY[key] for key in SPREAD)


def checkpoint_rows(checkpoint_spread: pd.DataFrame) -> tuple[CheckpointRow, ...]:
    """Write the scores of each model's last checkpoints; empty where none were kept."""
    rows = checkpoint_spread.to_dict(orient="records")
    columns = [make_cells(rows, measure) for measure in checkpoint_measures()]
    return tuple(
        CheckpointRow(
            model=model_label(str(row["model"])),
            epoch=_whole(number_of(row, "epoch")),
            count=_whole(number_of(row, "n")),
            cells=tuple(column[index] for column in columns),
        )
        for index, row in enumerate(rows)
    )


@dataclass(frozen=True)
class SeedRow:
    """The trainings of one model with several seeds: mean and range of each measure."""

    model: str
    num_seeds: str
    cells: tuple[Cell, ...]


def seed_measures(seed_summary: pd.DataFrame) -> tuple[Measure, ...]:
    """Choose the columns of the table over seeds: those that were measured."""
    return tuple(
        BY_KEY[key]
        for key in LAMBDA_KEYS
        if key in seed_summary and seed_summary[key].notna().any()
    )


def seed_rows(seed_summary: pd.DataFrame) -> tuple[SeedRow, ...]:
    """Write mean and range of each model over its seeds; empty where all have one seed."""
    if not (seed_summary["num_seeds"] > 1).any():
        return ()
    rows = seed_summary.to_dict(orient="records")
    columns = [make_cells(rows, measure) for measure in seed_measures(seed_summary)]
    return tuple(
        SeedRow(
            model=model_label(str(row["model"])),
            num_seeds=_whole(number_of(row, "num_seeds")),
            cells=tuple(column[index] for column in columns),
        )
        for index, row in enumerate(rows)
    )


def proposed_lambda(comparison: pd.DataFrame) -> float | None:
    """Read the λ_p of the proposed model, or None where it has no fixed one."""
    value = number_of(rows_by_model(comparison).get("proposed", {}), "lambda_perceptual")
    return None if math.isnan(value) else value


def _share(value: float) -> str:
    return "" if math.isnan(value) else f"{write_share(value)} of the gradient"


def _whole(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.0f}"
