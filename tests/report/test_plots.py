"""The plots of the test table and of the audit."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from portrait_pipeline.report.plots import (
    face_figure,
    label_places,
    ssim_figure,
    trade_off_figure,
)


def test_one_point_per_lambda_and_the_controls(inputs: Any) -> None:
    """Every λ_p is a point, both models and two controls are, and floor and chance are lines."""
    figure = trade_off_figure(inputs["comparison"], inputs["lambda_table"])
    names = [trace.name for trace in figure.data]
    assert len(figure.data[0].x) == len(inputs["lambda_table"])
    assert names[1:] == ["Baseline", "Proposed", "Painted twin (truth)", "Photo itself"]
    lines = [note.text for note in figure.layout.annotations]
    assert sorted(lines) == ["chance", "real paintings"]
    assert len(figure.layout.shapes) == 2


def test_the_geometry_judge_turns_the_axis(inputs: Any) -> None:
    """With landmark error in place of similarity, lower is better and still above."""
    keys = ["identity_similarity", "rank_1"]
    tables = [
        inputs[name].assign(**dict.fromkeys(keys, np.nan))
        for name in ("comparison", "lambda_table")
    ]
    figure = trade_off_figure(*tables)
    assert figure.layout.yaxis.title.text == "Landmark error"
    assert figure.layout.yaxis.autorange == "reversed"


def test_nothing_measured_is_said(inputs: Any) -> None:
    """Without any distance there is no trade-off, and the figure says why."""
    tables = [inputs[name].drop(columns=["swd", "kid"]) for name in ("comparison", "lambda_table")]
    assert "was not measured" in trade_off_figure(*tables).layout.annotations[0].text


def test_noise_stands_beside_the_models(inputs: Any) -> None:
    """The plot of SSIM shows noise at 0.986 as published, and the report's own averages."""
    published = ssim_figure(inputs["comparison"]).data[-1]
    points = dict(zip(published.y, published.x, strict=True))
    assert points["Independent noise"] == 0.986
    assert points["Report: baseline"] == 0.9894
    assert points["Baseline"] == pytest.approx(inputs["comparison"]["ssim_as_published"][0])


def test_every_face_is_counted_once(inputs: Any) -> None:
    """The histograms hold as many pictures as have a number."""
    audit = inputs["ingestion_audit"]
    for trace in face_figure(audit).data:
        heights = np.array(trace.y[1:-1])[::2]
        domain = trace.name.removesuffix("s")
        column = "box_left" if trace.xaxis == "x" else "probability"
        assert heights.sum() == audit.loc[audit["domain"] == domain, column].notna().sum()


def test_every_figure_describes_itself(outputs: dict[str, Any]) -> None:
    """Each plot carries an alternative text, and none swallows a finger that scrolls."""
    for figure in outputs["report_plots"].values():
        assert figure.layout.meta["description"].endswith(".")
        assert figure.layout.dragmode is False


def test_labels_of_neighbours_point_away_from_each_other() -> None:
    """Left points have theirs on the left, the uppermost above; one alone has it above."""
    x, y = pd.Series([1.0, 2.0, 8.0, 9.0, 9.5]), pd.Series([0.2, 0.1, 0.1, 0.3, 0.2])
    assert label_places(x, y) == [
        "top left",
        "bottom left",
        "bottom right",
        "top right",
        "middle right",
    ]
    assert label_places(x[:1], y[:1]) == ["top right"]
