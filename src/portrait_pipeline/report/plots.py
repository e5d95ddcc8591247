"""Plots of the test results: the trade-off, both kinds of SSIM, and the detected faces."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from portrait_pipeline.report.measures import BY_KEY, Measure
from portrait_pipeline.report.models import model_label
from portrait_pipeline.report.style import (
    BASELINE,
    CONTROL,
    MODEL_COLOURS,
    PROPOSED,
    axis,
    dress,
    model_colours,
    say_nothing_measured,
)
from portrait_pipeline.report.tables import number_of, rows_by_model
from portrait_pipeline.report.verdict import trained_models
from portrait_pipeline.report.wording import within_a_sentence, write_lambda

PERSON_KEYS = ("identity_similarity", "rank_1", "landmark_error")
DISTANCE_KEYS = ("kid", "swd")
TRADED_CONTROLS = (
    "shipped_model",
    "painted_twin",
    "photo_itself",
    "recoloured_photos",
    "filter_fine",
)

# Averages that the report published, and what independent noise scores with either constants.
PUBLISHED_SSIM = {"Report: proposed": 0.9827, "Report: baseline": 0.9894}
NOISE_SSIM, NOISE_SSIM_AS_PUBLISHED = 0.005, 0.986


def first_measured(tables: list[pd.DataFrame], keys: tuple[str, ...]) -> Measure | None:
    """Choose the first measure that any row of any of the tables holds."""
    for key in keys:
        if any(key in table and table[key].notna().any() for table in tables):
            return BY_KEY[key]
    return None


def trade_off_figure(comparison: pd.DataFrame, lambda_table: pd.DataFrame) -> go.Figure:
    """Plot the person kept against the distance to paintings: one point per λ_p, and controls."""
    person = first_measured([comparison, lambda_table], PERSON_KEYS)
    distance = first_measured([comparison, lambda_table], DISTANCE_KEYS)
    if person is None or distance is None:
        return say_nothing_measured("the person or the distance to paintings was not measured")
    figure = go.Figure()
    _add_lambda_points(figure, lambda_table, person, distance)
    rows = rows_by_model(comparison)
    colours = model_colours(trained_models(comparison))
    for model in (*colours, *(name for name in TRADED_CONTROLS if name in rows)):
        colour = colours.get(model, MODEL_COLOURS.get(model, CONTROL))
        _add_model_point(figure, rows[model], (person, distance), colour)
    _add_controls(figure, rows, person, distance)
    figure.update_xaxes(axis(f"{distance.label}, left is better", rangemode="tozero"))
    upwards = person.better == "higher"
    figure.update_yaxes(axis(person.label, autorange=True if upwards else "reversed"))
    across = within_a_sentence(distance.label)
    text = f"{person.label} against {across}, one point per model; upper left is best."
    dress(figure, text, 440)
    return figure.update_layout(legend={"y": -0.22})


def _spread(row: Mapping[Any, Any], key: str) -> dict[str, Any]:
    value, low, high = (number_of(row, key + end) for end in ("", "_low", "_high"))
    if not math.isfinite(high - low):
        return {"visible": False}
    return {
        "array": [max(high - value, 0.0)],
        "arrayminus": [max(value - low, 0.0)],
        "thickness": 1.2,
        "width": 3,
    }


def _add_model_point(
    figure: go.Figure, row: Mapping[Any, Any], measures: tuple[Measure, Measure], colour: str
) -> None:
    person, distance = measures
    x, y = number_of(row, distance.key), number_of(row, person.key)
    if math.isnan(x) or math.isnan(y):
        return
    model = str(row["model"])
    figure.add_scatter(
        x=[x],
        y=[y],
        error_x=_spread(row, distance.key),
        error_y=_spread(row, person.key),
        mode="markers",
        name=model_label(model),
        marker={
            "size": 13,
            "color": colour,
            "symbol": "diamond" if model in TRADED_CONTROLS else "circle",
        },
        hovertemplate="%{y:.3f} at distance %{x:.4g}",
    )


def _add_lambda_points(
    figure: go.Figure, lambda_table: pd.DataFrame, person: Measure, distance: Measure
) -> None:
    if not {person.key, distance.key} <= set(lambda_table.columns):
        return
    measured = lambda_table.dropna(subset=[person.key, distance.key, "lambda_perceptual"])
    measured = measured.sort_values("lambda_perceptual")
    figure.add_scatter(
        x=measured[distance.key].tolist(),
        y=measured[person.key].tolist(),
        text=[f"λ<sub>p</sub> {write_lambda(value)}" for value in measured["lambda_perceptual"]],
        mode="lines+markers+text",
        textposition=label_places(measured[distance.key], measured[person.key]),
        textfont={"size": 12},
        cliponaxis=False,
        name="Tuning, on validation",
        line={"color": CONTROL, "width": 1, "dash": "dot"},
        marker={"size": 9, "color": PROPOSED, "symbol": "circle-open", "line": {"width": 2}},
        hovertemplate="%{text}: %{y:.3f} at distance %{x:.4g}",
    )


def label_places(x: pd.Series, y: pd.Series) -> list[str]:
    """Place labels away from their neighbours: left ones to the left, upper ones above."""
    is_left = x.rank(method="first") <= len(x) / 2
    sides = is_left.map({True: "left", False: "right"})
    place = y.groupby(sides).rank(method="first", ascending=False)
    last = y.groupby(sides).transform("size")
    heights = np.where(place == 1, "top", np.where(place == last, "bottom", "middle"))
    return [f"{height} {side}" for height, side in zip(heights, sides, strict=True)]


def _add_controls(
    figure: go.Figure, rows: Mapping[str, Mapping[Any, Any]], person: Measure, distance: Measure
) -> None:
    floor = number_of(rows.get("real_paintings", {}), distance.key)
    chance = number_of(rows.get("shuffled_pairs", {}), person.key)
    line = {"color": CONTROL, "width": 1.2, "dash": "dash"}
    if math.isfinite(floor):
        figure.add_vline(
            floor,
            line=line,
            annotation={"text": "real paintings", "font": {"size": 12}, "yanchor": "bottom"},
            annotation_position="top",
        )
    if math.isfinite(chance):
        figure.add_hline(
            chance,
            line=line,
            annotation={"text": "chance", "font": {"size": 12}},
            annotation_position="top right",
        )


def ssim_figure(comparison: pd.DataFrame) -> go.Figure:
    """Plot SSIM with the right constants beside SSIM as the report computed it, row by row."""
    points: list[tuple[str, float, float]] = [
        ("Independent noise", NOISE_SSIM, NOISE_SSIM_AS_PUBLISHED),
        *((name, math.nan, value) for name, value in PUBLISHED_SSIM.items()),
    ]
    for model, row in reversed(rows_by_model(comparison).items()):
        right, published = number_of(row, "ssim"), number_of(row, "ssim_as_published")
        if math.isfinite(right):
            points.append((model_label(model), right, published))
    figure = go.Figure()
    for name, right, published in points:
        figure.add_scatter(
            x=[right, published],
            y=[name, name],
            mode="lines",
            line={"color": CONTROL, "width": 1},
            showlegend=False,
            hoverinfo="skip",
        )
    for index, label, marker in (
        (1, "right constants", {"color": BASELINE, "symbol": "circle"}),
        (2, "as published", {"color": PROPOSED, "symbol": "circle-open", "line": {"width": 2}}),
    ):
        figure.add_scatter(
            x=[point[index] for point in points],
            y=[point[0] for point in points],
            mode="markers",
            name=label,
            marker={"size": 10, **marker},
            hovertemplate="%{y}, " + label + ": %{x:.3f}<extra></extra>",
        )
    figure.update_xaxes(axis("SSIM", range=[-0.05, 1.05]))
    figure.update_yaxes(axis(kind="category"))
    text = "SSIM with the right constants and as published; noise scores 0.986 as published."
    return dress(figure, text, 150 + 30 * len(points))


def face_figure(ingestion_audit: pd.DataFrame) -> go.Figure:
    """Plot how large the faces are that were found, and how sure the detector was."""
    panels = (
        ("Longer edge of the face in the source picture, px", face_edges_px(ingestion_audit), 0.0),
        ("Probability of the face", _numbers(ingestion_audit, "probability"), 1.0),
    )
    figure = make_subplots(rows=2, cols=1, vertical_spacing=0.3)
    domains = ingestion_audit["domain"].to_numpy()
    for row, (title, values, included) in enumerate(panels, start=1):
        measured = np.isfinite(values)
        if not measured.any():
            continue
        edges = np.histogram_bin_edges([*values[measured], included], bins=40)
        for domain, colour in (("photo", BASELINE), ("painting", PROPOSED)):
            counts, _ = np.histogram(values[measured & (domains == domain)], bins=edges)
            _add_histogram(figure, (edges, counts), (domain, colour), row)
        figure.update_xaxes(axis(title), row=row, col=1)
        figure.update_yaxes(axis("pictures", rangemode="tozero"), row=row, col=1)
    return dress(figure, "Histograms of face sizes and detection probabilities per domain.", 420)


def _add_histogram(
    figure: go.Figure,
    histogram: tuple[NDArray[Any], NDArray[Any]],
    domain: tuple[str, str],
    row: int,
) -> None:
    """Add the outline of a histogram: counted here, to keep the page small."""
    (edges, counts), (name, colour) = histogram, domain
    figure.add_scatter(
        x=np.repeat(edges, 2).tolist(),
        y=[0, *np.repeat(counts, 2).tolist(), 0],
        mode="lines",
        line={"color": colour, "width": 1.5},
        name=f"{name}s",
        legendgroup=name,
        showlegend=row == 1,
        hovertemplate="%{y} at %{x:.3g}",
        row=row,
        col=1,
    )


def face_edges_px(ingestion_audit: pd.DataFrame) -> NDArray[np.float64]:
    """Read the longer edge of every detected face in source pixels; NaN where there is none."""
    width = _numbers(ingestion_audit, "box_right") - _numbers(ingestion_audit, "box_left")
    height = _numbers(ingestion_audit, "box_bottom") - _numbers(ingestion_audit, "box_top")
    return np.fmax(width, height)


def _numbers(table: pd.DataFrame, column: str) -> NDArray[np.float64]:
    if column not in table:
        return np.full(len(table), np.nan)
    return pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=np.float64)
