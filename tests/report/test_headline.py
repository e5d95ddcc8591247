"""The headline and its scales."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from portrait_pipeline.report.headline import headline_gaps, headline_models, headline_rows


def test_marks_stand_between_chance_and_the_best(inputs: Any) -> None:
    """The scale is linear from the bad control (0) to the best one (100)."""
    comparison = inputs["comparison"].set_index("model")["identity_similarity"]
    row = headline_rows(inputs["comparison"])[0]
    low, high = comparison["shuffled_pairs"], comparison["photo_itself"]
    marks = {mark.kind: mark for mark in row.marks}
    expected = 100 * (comparison["proposed"] - low) / (high - low)
    assert marks["proposed"].at == pytest.approx(expected)
    assert marks["baseline"].low <= marks["baseline"].at <= marks["baseline"].high
    assert row.scale_ends == ("chance 0.020", "photo 1.000")


def test_every_model_has_a_column_and_a_colour_and_further_seeds_none(inputs: Any) -> None:
    """Whatever the models are called; a control is no model."""
    rows = inputs["comparison"].set_index("model")
    added = dict.fromkeys(("painter", "painter_seed_1"), rows.loc["proposed"])
    comparison = pd.concat([rows, pd.DataFrame(added).T]).rename_axis("model").reset_index()
    models = headline_models(comparison)
    assert [model.name for model in models] == ["baseline", "proposed", "painter"]
    assert len({model.colour for model in models}) == 3
    row = headline_rows(comparison)[0]
    assert len(row.cells) == 3
    assert {mark.kind: mark.colour for mark in row.marks}["painter"] == models[2].colour


def test_lower_is_better_runs_the_other_way(inputs: Any) -> None:
    """The best place is at the right also where a lower number is better."""
    row = next(row for row in headline_rows(inputs["comparison"]) if row.measure.key == "swd")
    marks = {mark.kind: mark.at for mark in row.marks}
    assert marks["painted_twin"] > marks["baseline"] > marks["proposed"]


def test_what_no_model_has_is_a_gap_with_its_reason(inputs: Any) -> None:
    """A measure is either a row of the headline or a gap."""
    labels = {row.measure.label for row in headline_rows(inputs["comparison"])}
    gaps = dict(headline_gaps(inputs["comparison"]))
    assert gaps == {
        "Distance to paintings (KID)": "there are fewer than four pictures",
        "Taken for a painting": "the classifier is asked on the test set only",
    }
    assert not labels & set(gaps)


def test_without_a_second_recogniser_the_teacher_is_shown_as_such(inputs: Any) -> None:
    """With the geometry judge the teacher's own score joins the headline under its own name."""
    keys = ["identity_similarity", "rank_1", "true_accept_rate"]
    comparison = inputs["comparison"].assign(**dict.fromkeys(keys, np.nan))
    shown = [row.measure.key for row in headline_rows(comparison)]
    assert "teacher_similarity" in shown
    geometry = headline_rows(inputs["comparison"].assign(judge="geometry"))
    assert "teacher_similarity" in [row.measure.key for row in geometry]
    assert "teacher_similarity" not in [r.measure.key for r in headline_rows(inputs["comparison"])]


def test_without_controls_there_is_no_scale(inputs: Any) -> None:
    """Where the controls are missing, the numbers stand without a scale."""
    alone = inputs["comparison"].head(2)
    assert all(row.marks == () for row in headline_rows(alone) if row.measure.worst)
