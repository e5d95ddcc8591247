"""Differences of models: every claim of the report has a paired interval."""

import numpy as np
import pandas as pd
import pytest

from portrait_pipeline.scoring.model_tables import COMPARED, tabulate_differences


def test_claims_about_person_and_painting_have_paired_intervals() -> None:
    """Rank-1 and KID differ by their means over the same pictures, with ends that hold them."""
    generator = np.random.default_rng(0)
    scores = {
        name: pd.DataFrame(
            {
                column: generator.random(30) < 0.5 if column == "found_first" else values
                for column, values in zip(
                    COMPARED, generator.random((len(COMPARED), 30)), strict=True
                )
            }
        )
        for name in ("one", "other")
    }
    table = tabulate_differences(scores, {"one": "other"}, 200, 0).set_index("measure")
    for column, measure in (("found_first", "rank_1"), ("kid_pseudovalue", "kid")):
        expected = scores["one"][column].mean() - scores["other"][column].mean()
        row = table.loc[measure]
        assert row["difference"] == pytest.approx(expected)
        assert row["low"] < row["difference"] < row["high"]
    assert "so" in table.loc["kid", "sentence"]
