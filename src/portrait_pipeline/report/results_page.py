"""The page of a study, `docs/results.md`: rendered from its tables alone."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from portrait_pipeline.report.measures import BY_KEY, Measure
from portrait_pipeline.report.models import model_label
from portrait_pipeline.report.tables import Cell, make_cells, number_of
from portrait_pipeline.report.verdict import trained_models, word_deception, word_verdict
from portrait_pipeline.report.wording import write_lambda, write_number, write_share

TABLES = ("comparison", "seed_summary", "differences", "checkpoint_spread")
"""The tables of every study, by their names in the catalog."""

TUNING_TABLES = {"tune": "lambda_table", "tune_share": "share_table"}
"""The tables of a study with these stages."""

PERSON = ("identity_similarity", "rank_1", "rank_5", "true_accept_rate")
PAINTING = ("kid", "kid_early", "swd", "deception_rate", "diversity")
PICTURE = ("ssim", "ssim_as_published", "landmark_error", "face_found_share", "teacher_similarity")
SPREAD = ("identity_similarity", "rank_1", "swd", "ssim")
TUNED = ("identity_similarity", "rank_1", "kid", "swd", "ssim", "ssim_as_published")

_HEAD = """# {title}

{verdict}

This page is rendered from the tables in `{folder}`. One command writes both:

```text
{command}
```

A model that is already trained with the same settings, pictures and code is not trained again.
`docs/metrics.md` says what each number means, and what it cannot see.

Judge: {judge}. Teacher: {teacher}. N = {n} test photographs where no other
number is named. Brackets are 95 % intervals over them.
"""


def render_results(
    tables: Mapping[str, pd.DataFrame], command: str, folder: str, title: str = "Results"
) -> str:
    """Write the page.

    Args:
        tables: Those of `TABLES` and, where the study tunes, of `TUNING_TABLES`, as they are kept.
        command: What runs the study.
        folder: Where its tables are kept.
        title: The page's heading.
    """
    comparison = tables["comparison"]
    first = comparison.iloc[0].to_dict()
    parts = [
        _HEAD.format(
            title=title,
            verdict=_verdict(comparison),
            folder=folder,
            command=command,
            judge=first["judge"],
            teacher=first["teacher"],
            n=f"{number_of(first, 'n'):.0f}",
        ),
        _section("Is it still the person?", _rows(comparison), PERSON),
        _section("Is it a painting?", _rows(comparison), PAINTING),
        _section("How alike are the pictures?", _rows(comparison), PICTURE),
        _section("Over the seeds of each model", _seeds(tables["seed_summary"]), TUNED),
        _differences(tables["differences"]),
        _section("The last epochs, each by itself", _epochs(tables["checkpoint_spread"]), SPREAD),
        _section("Choosing λ_p, on validation photographs", _tuned(tables, "lambda_table"), TUNED),
        _section("A kept share of the gradient", _tuned(tables, "share_table"), TUNED),
    ]
    return "\n".join(part for part in parts if part)


def _verdict(comparison: pd.DataFrame) -> str:
    sentences = word_verdict(comparison, trained_models(comparison)), word_deception(comparison)
    return " ".join(sentence for sentence in sentences if sentence)


Rows = list[tuple[str, dict[Any, Any]]]


def _rows(comparison: pd.DataFrame) -> Rows:
    rows = comparison.to_dict(orient="records")
    return [(_label(row, number_of(rows[0], "n")), row) for row in rows]


def _label(row: Mapping[Any, Any], usual_n: float) -> str:
    label, weight, seed = model_label(str(row["model"])), row["lambda_perceptual"], row.get("seed")
    n = number_of(row, "n")
    notes = [] if pd.isna(weight) else [f"λ_p {write_lambda(float(weight))}"]
    notes += [] if seed is None or pd.isna(seed) else [f"seed {seed:.0f}"]
    notes += [] if math.isnan(n) or n == usual_n else [f"N = {n:.0f}"]
    return f"{label} ({', '.join(notes)})" if notes else label


def _seeds(summary: pd.DataFrame) -> Rows:
    rows = summary[summary["num_seeds"] > 1].to_dict(orient="records")
    return [
        (f"{model_label(str(row['model']))}, {row['num_seeds']:.0f} seeds", row) for row in rows
    ]


def _epochs(spread: pd.DataFrame) -> Rows:
    rows = spread.to_dict(orient="records")
    return [(f"{model_label(str(row['model']))}, epoch {row['epoch']:.0f}", row) for row in rows]


def _tuned(tables: Mapping[str, pd.DataFrame], name: str) -> Rows:
    rows: Rows = []
    for row in tables.get(name, pd.DataFrame()).to_dict(orient="records"):
        label = f"λ_p {write_lambda(number_of(row, 'lambda_perceptual'))}"
        share = number_of(row, "perceptual_gradient_share")
        label += "" if math.isnan(share) else f", {write_share(share)} of the gradient"
        rows.append((label + (", chosen" if row.get("chosen") is True else ""), row))
    return rows


def _section(title: str, rows: Rows, keys: Sequence[str]) -> str:
    """Write a table of the measures that any row has; nothing where there is none."""
    measures = [BY_KEY[key] for key in keys if any(_has(row, key) for _, row in rows)]
    if not measures:
        return ""
    columns = [make_cells([row for _, row in rows], measure) for measure in measures]
    body = [
        [label, *(_write(column[place]) for column in columns)]
        for place, (label, row) in enumerate(rows)
        if any(_has(row, measure.key) for measure in measures)
    ]
    return _table(title, ["", *(_heading(measure) for measure in measures)], body)


def _has(row: Mapping[Any, Any], key: str) -> bool:
    return not math.isnan(number_of(row, key))


def _heading(measure: Measure) -> str:
    arrow = {"higher": " ↑", "lower": " ↓", "neither": ""}[measure.better]
    return f"{measure.label}{arrow}"


def _write(cell: Cell) -> str:
    if cell.why_missing:
        return "–"
    return " ".join(part for part in (cell.value, cell.interval, cell.span) if part)


def _differences(differences: pd.DataFrame) -> str:
    rows = [
        [
            f"{model_label(str(row['model']))} minus {model_label(str(row['compared_with']))}",
            BY_KEY[str(row["measure"])].label,
            *(write_number(float(row[key]), 3) for key in ("difference", "low", "high")),
        ]
        for row in differences.to_dict(orient="records")
    ]
    heading = ["models", "measure", "difference", "from", "to"]
    return _table("Differences, picture by picture", heading, rows) if rows else ""


def _table(title: str, heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    texts = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
    return f"## {title}\n\n" + "\n".join(texts) + "\n"
