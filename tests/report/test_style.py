import plotly.graph_objects as go
import pytest

from portrait_pipeline.report.style import (
    CONTROL,
    MODEL_COLOURS,
    axis,
    dress,
    model_colours,
    say_nothing_measured,
)


def test_a_dressed_figure_can_be_read_aloud() -> None:
    """It has the description for people who cannot see it, its height, and no background."""
    figure = dress(go.Figure(), "Losses over epochs.", 300)
    assert figure.layout.meta["description"] == "Losses over epochs."
    assert figure.layout.height == 300
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"


@pytest.mark.parametrize("kind", ["linear", "log", "category"])
def test_an_axis_takes_its_kind_and_further_settings(kind: str) -> None:
    """Title and type are set, and whatever else is given."""
    described = axis("epoch", kind, range=[0, 1])  # type: ignore[arg-type]
    assert (described["type"], described["title"]["text"]) == (kind, "epoch")
    assert described["range"] == [0, 1]


def test_an_empty_figure_says_why() -> None:
    """The reason stands in the figure and in its description."""
    figure = say_nothing_measured("nothing was trained")
    assert "nothing was trained" in figure.layout.annotations[0].text
    assert "nothing was trained" in figure.layout.meta["description"]


def test_models_differ_in_colour() -> None:
    """No two models of a table share a colour, the seeds of one model do."""
    models = ("baseline", "proposed", "proposed_seed_1", "mean", "painter", "painter_seed_2")
    colours = model_colours(models)
    assert colours["proposed"] == colours["proposed_seed_1"] != colours["painter"]
    assert colours["painter"] == colours["painter_seed_2"] != colours["mean"]
    assert len(set(colours.values())) == 4
    assert not set(colours.values()) & {CONTROL, MODEL_COLOURS["painted_twin"]}
