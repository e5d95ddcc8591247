"""The report page: one HTML file with its style, its plotting library and its pictures inside."""

import json
import re
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from PIL import Image
from plotly.offline import get_plotlyjs

from portrait_pipeline.masking import mask_values
from portrait_pipeline.report.pictures import encode_image
from portrait_pipeline.report.sections import (
    DataSection,
    RankingSection,
    ResultsSection,
)
from portrait_pipeline.report.wording import (
    MINUS,
    THIN_SPACE,
    write_count,
    write_duration,
)

FIGURE_WIDTH_PX = 1100


def make_environment() -> Environment:
    """Set Jinja2 up: everything is escaped, and a name that is not there is a mistake."""
    environment = Environment(
        loader=PackageLoader("portrait_pipeline.report", package_path="templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = write_count
    environment.filters["formula"] = set_formulas
    environment.filters["breakable"] = let_break
    environment.filters["duration"] = lambda seconds: write_duration(float(seconds))
    return environment


def render_page(
    *,
    results: ResultsSection,
    ranking: RankingSection,
    data: DataSection,
    plots: Mapping[str, go.Figure],
    figure_1: Image.Image,
    run_facts: Mapping[str, Any],
) -> str:
    """Render the page.

    Args:
        results: Headline, all numbers, the λ_p table and the conclusion.
        ranking: Test pictures from the best to the worst kept person.
        data: Counts, crops and what was left out.
        plots: Plotly figures by the name under which the page places them.
        figure_1: The drawn figure.
        run_facts: `settings`, `seeds`, `versions`, `durations` (seconds) and `links` (addresses) as
            dicts, `commands` as a list, and single facts such as `commit`, `data_hash`, `created`.
    """
    figure_1 = figure_1.convert("RGB")
    figure_1.thumbnail((FIGURE_WIDTH_PX, 4 * FIGURE_WIDTH_PX))
    return (
        make_environment()
        .get_template("report.html.j2")
        .render(
            results=results,
            ranking=ranking,
            data=data,
            plots={name: _to_plain(figure) for name, figure in plots.items()},
            figure_1_uri=encode_image(figure_1, "JPEG"),
            facts=sort_facts(run_facts),
            # the library's own script, put in as it is: the one text that must not be escaped
            plotly_script=Markup(get_plotlyjs()),
        )
    )


def _to_plain(figure: go.Figure) -> dict[str, Any]:
    """Turn a figure into plain JSON types; its description and explanation move beside it."""
    content: dict[str, Any] = json.loads(figure.to_json())
    meta = content["layout"].pop("meta", {})
    return {
        "content": content,
        "description": str(meta.get("description", "")),
        "explanation": [str(sentence) for sentence in meta.get("explanation", ())],
        "height_px": int(content["layout"].get("height", 400)),
    }


def set_formulas(text: str) -> Markup:
    """Escape a text; set its λ_p as a letter with an index, and its minus signs as such."""
    signed = re.sub(r"(?<![\w-])-(?=\d)", MINUS, text).replace(" %", f"{THIN_SPACE}%")
    return escape(signed).replace("λ_p", Markup("λ<sub>p</sub>"))


def let_break(name: str) -> Markup:
    """Escape a long name of a setting and allow line breaks after its dots and underscores."""
    wbr = Markup("<wbr>")
    return escape(name).replace(".", "." + wbr).replace("_", "_" + wbr)


def sort_facts(run_facts: Mapping[str, Any]) -> dict[str, Any]:
    """Sort the facts of a run, masked, into groups (dicts), commands (a list) and single facts.

    Links are left as they are: the part of an address that masking hides is where they lead.
    """
    links = dict(run_facts.get("links", {}))
    run_facts = mask_values({key: value for key, value in run_facts.items() if key != "links"})
    groups = {str(k): dict(v) for k, v in run_facts.items() if isinstance(v, Mapping)}
    return {
        "durations": groups.pop("durations", {}),
        "links": links,
        "groups": groups,
        "commands": [str(command) for command in run_facts.get("commands", [])],
        "single": {
            str(key): value
            for key, value in run_facts.items()
            if not isinstance(value, Mapping) and key != "commands" and value is not None
        },
    }
