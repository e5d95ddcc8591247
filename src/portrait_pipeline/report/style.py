"""The style of the plots: a palette for colour-blind readers and one layout for all screens.

Colours are those of Okabe and Ito (2008, "Color Universal Design"). Text and grid take a neutral
grey here; the page gives them the colours of its light, dark or printed theme.
"""

from collections.abc import Sequence
from itertools import cycle
from typing import Any, Literal

import plotly.graph_objects as go

from portrait_pipeline.report.models import family_of

BASELINE, PROPOSED, TRUTH, CONTROL = "#0072B2", "#D55E00", "#009E73", "#7A828C"
MODEL_COLOURS = {"baseline": BASELINE, "proposed": PROPOSED, "painted_twin": TRUTH}
OTHER_COLOURS = ("#CC79A7", "#56B4E9", "#E69F00", "#000000", "#9C6B30")
"""Of further models, in the order of the table; the first three are Okabe's and Ito's too."""
TEXT, GRID = "#5B636D", "rgba(128,136,146,0.25)"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"


def model_colours(models: Sequence[str]) -> dict[str, str]:
    """Give each model a colour, the same to the seeds of one; controls have `CONTROL`."""
    families = dict.fromkeys(map(family_of, models))
    others = [family for family in families if family not in MODEL_COLOURS]
    colours = MODEL_COLOURS | dict(zip(others, cycle(OTHER_COLOURS), strict=False))
    return {model: colours[family_of(model)] for model in models}


def axis(
    title: str = "", kind: Literal["linear", "log", "category"] = "linear", **more: Any
) -> dict[str, Any]:
    """Describe a quiet axis: a fine grid, no frame, its title beside it."""
    return {
        "title": {"text": title, "standoff": 8, "font": {"size": 13}},
        "type": kind,
        "gridcolor": GRID,
        "linecolor": GRID,
        "zeroline": False,
        "automargin": True,
        "ticks": "",
        **more,
    }


def dress(figure: go.Figure, description: str, height_px: int) -> go.Figure:
    """Give a figure the project's style and a description for people who cannot see it.

    Args:
        figure: The figure, changed in place.
        description: Alternative text; kept in `layout.meta["description"]`.
        height_px: Height; the width is that of the page.
    """
    figure.update_layout(
        template="none",
        height=height_px,
        margin={"l": 12, "r": 12, "t": 28, "b": 12, "pad": 4},
        font={"family": FONT, "size": 13, "color": TEXT},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top"},
        hoverlabel={"font": {"family": FONT, "size": 13}},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": CONTROL, "activecolor": TEXT},
        dragmode=False,
        meta={"description": description},
    )
    return figure


def say_nothing_measured(reason: str) -> go.Figure:
    """Draw an empty figure that says why it is empty."""
    figure = go.Figure()
    dress(figure, f"Nothing to plot: {reason}.", 120)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(text=f"Nothing to plot: {reason}.", showarrow=False, x=0.5, y=0.5)
    return figure
