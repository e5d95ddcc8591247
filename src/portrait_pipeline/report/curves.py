"""Plots over epochs: loss terms, validation scores, and what share the perceptual term has."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from portrait_pipeline.report.measures import BY_KEY
from portrait_pipeline.report.models import model_label
from portrait_pipeline.report.style import (
    BASELINE,
    PROPOSED,
    TEXT,
    axis,
    dress,
    model_colours,
    say_nothing_measured,
)

# The panel of each term, by a part of the column's name; the first match counts.
LOSS_FAMILIES = (
    ("Discriminators", re.compile("discriminator")),
    ("Adversarial", re.compile("^adversarial")),
    ("Cycle consistency", re.compile("^cycle_consistency")),
    ("Perceptual", re.compile("^perceptual(?!.*share)")),
    ("Identity mapping", re.compile("^identity_mapping")),
    ("Generators, weighted sum", re.compile("^generator")),
)
DASHES = ("solid", "dot", "dash", "dashdot")
WARNED_SHARE = 0.01
MAX_EPOCH_TICKS = 10
LOSS_SHARE = "perceptual_loss_share"

History = pd.DataFrame


def loss_figure(histories: Mapping[str, History]) -> go.Figure:
    """Plot every unweighted loss term over epochs, one panel per kind of term."""
    families = {
        title: columns
        for title, pattern in LOSS_FAMILIES
        if (columns := _without_sums(_columns_of(histories, pattern)))
    }
    return _draw_panels(histories, families, "Loss terms, unweighted, over epochs.")


def validation_figure(histories: Mapping[str, History]) -> go.Figure:
    """Plot every score that was measured on the validation set while a model trained."""
    columns = _columns_of(histories, re.compile(r"^validation_(?!.*(_low|_high|_n)$)"))
    panels = {_score_label(column): [column] for column in columns}
    return _draw_panels(histories, panels, "Validation scores over epochs.")


def epoch_axis(histories: Mapping[str, History], title: str) -> dict[str, Any]:
    """Describe an axis of epochs: its ticks are whole ones, and at most ten."""
    last = max((int(each["epoch"].max()) for each in histories.values() if len(each)), default=1)
    return axis(title, tick0=0, dtick=max(1, math.ceil(last / MAX_EPOCH_TICKS)))


def _columns_of(histories: Mapping[str, History], pattern: re.Pattern[str]) -> list[str]:
    """List the columns with numbers that the pattern finds; any that varies or is not zero."""
    found: dict[str, None] = {}
    for history in histories.values():
        numeric = history.select_dtypes("number")
        for column in numeric.columns:
            values = numeric[column].dropna()
            if pattern.search(str(column)) and (values != 0).any():
                found[str(column)] = None
    return list(found)


def _without_sums(columns: list[str]) -> list[str]:
    """Leave out a term that is the sum of others shown: `<term>` beside `<term>_photo`."""
    return [column for column in columns if f"{column}_photo" not in columns]


def _score_label(column: str) -> str:
    key = column.removeprefix("validation_")
    return BY_KEY[key].label if key in BY_KEY else key.replace("_", " ").capitalize()


def _draw_panels(
    histories: Mapping[str, History], panels: Mapping[str, Sequence[str]], description: str
) -> go.Figure:
    if not panels:
        return say_nothing_measured("the histories hold none of these numbers")
    rows, height_px = len(panels), 90 + 165 * len(panels)
    figure = make_subplots(
        rows=rows,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=44 / height_px if rows > 1 else 0,
        subplot_titles=list(panels),
    )
    named: set[str] = set()
    colours = model_colours(tuple(histories))
    for row, columns in enumerate(panels.values(), start=1):
        for model, history in histories.items():
            for number, column in enumerate(columns):
                _add_line(
                    figure,
                    history,
                    column,
                    (model, number, row),
                    colours[model],
                    model not in named,
                )
                named.add(model)
        figure.update_yaxes(axis(), row=row, col=1)
        title = "epoch" if row == rows else ""
        figure.update_xaxes(epoch_axis(histories, title), row=row, col=1)
    figure.update_annotations(x=0, xanchor="left", font={"size": 13, "color": TEXT})
    dress(figure, description, height_px)
    return figure.update_layout(legend={"y": -60 / height_px})


def _add_line(
    figure: go.Figure,
    history: History,
    column: str,
    place: tuple[str, int, int],
    colour: str,
    is_first_of_model: bool,
) -> None:
    model, number, row = place
    if column not in history or not history[column].notna().any():
        return
    measured = history.dropna(subset=[column])
    figure.add_scatter(
        x=measured["epoch"].tolist(),
        y=measured[column].tolist(),
        mode="lines" if len(measured) > 1 else "markers",
        line={"color": colour, "dash": DASHES[number % len(DASHES)]},
        name=model_label(model),
        legendgroup=model,
        showlegend=is_first_of_model,
        hovertemplate=f"{column.replace('_', ' ')}: %{{y:.4g}} in epoch %{{x}}",
        row=row,
        col=1,
    )


def share_with_mean(share_with_sum: pd.Series, dimensions: int) -> pd.Series:
    """Compute the share that a term would have with the mean over d dimensions, not the sum.

    The mean is the sum over d, so a share s = a / (a + b) becomes (a/d) / (a/d + b).
    """
    scaled = share_with_sum / dimensions
    return scaled / (scaled + 1.0 - share_with_sum)


def share_with_sum(share_with_mean: pd.Series, dimensions: int) -> pd.Series:
    """Compute the share that a term would have with the sum, not the mean: the inverse."""
    scaled = share_with_mean * dimensions
    return scaled / (scaled + 1.0 - share_with_mean)


def perceptual_share_figure(history: History, dimensions: int, reduction: str) -> go.Figure:
    """Plot the share of the perceptual term over epochs, with `sum` and with `mean`.

    One of the two was measured; the other is computed from it for the same weights.
    """
    figure = go.Figure()
    for column, label, dash in (
        (LOSS_SHARE, "of the loss", "solid"),
        ("perceptual_gradient_share", "of the gradient", "dot"),
    ):
        if column not in history:
            continue
        measured = history[["epoch", column]].dropna()
        if not (measured[column] > 0).any():
            continue
        shares = _both_shares(measured[column], dimensions, reduction)
        for name, colour in (("sum", BASELINE), ("mean", PROPOSED)):
            figure.add_scatter(
                x=measured["epoch"].tolist(),
                y=np.maximum(shares[name], 1e-6).tolist(),
                mode="lines" if len(measured) > 1 else "markers",
                line={"color": colour, "dash": dash, "width": 2},
                name=f"{name}, {label}",
                hovertemplate=f"{name}: %{{y:.2%}} {label}",
            )
    if not figure.data:
        return say_nothing_measured("the proposed model had no perceptual term")
    figure.add_hline(WARNED_SHARE, line={"color": TEXT, "width": 1, "dash": "dash"})
    figure.add_annotation(
        text="below 1 %",
        x=0,
        xref="paper",
        xanchor="left",
        y=np.log10(WARNED_SHARE),
        yanchor="top",
        showarrow=False,
        font={"size": 12},
    )
    figure.update_xaxes(epoch_axis({"": history}, "epoch"))
    figure.update_yaxes(axis("share of the perceptual term", "log", tickformat=".2~%", dtick=1))
    text = "Share of the perceptual term in loss and gradient with sum and with mean, log scale."
    return dress(figure, text, 360)


def _both_shares(measured: pd.Series, dimensions: int, reduction: str) -> dict[str, pd.Series]:
    if reduction == "mean":
        return {"sum": share_with_sum(measured, dimensions), "mean": measured}
    return {"sum": measured, "mean": share_with_mean(measured, dimensions)}
