"""The tables of the page."""

from typing import Any

import numpy as np
import pandas as pd

from portrait_pipeline.report.measures import BY_KEY, MEASURES
from portrait_pipeline.report.tables import (
    checkpoint_rows,
    everything_table,
    lambda_measures,
    lambda_rows,
    make_cells,
)


def test_every_measure_and_every_model_has_its_cell(inputs: Any) -> None:
    """The whole table holds each measure once and a cell for each row of `comparison`."""
    table = everything_table(inputs["comparison"])
    labels = [label for _, rows in table.groups for label, _, _ in rows]
    assert labels == [measure.label for measure in MEASURES]
    assert len(table.columns) == len(inputs["comparison"])
    assert all(len(cells) == len(table.columns) for _, rows in table.groups for _, _, cells in rows)


def test_levels_of_the_distance_are_rows(inputs: Any) -> None:
    """Columns such as `swd_32px` follow the distance, largest first; their interval may lack."""
    comparison = inputs["comparison"].assign(swd_16px=0.01, swd_64px=0.02)
    groups = dict(everything_table(comparison).groups)
    labels = [label for label, _, _ in groups["Is it a painting?"]]
    assert labels[:4] == [
        "Distance to paintings (KID)",
        "Distance to paintings (SWD)",
        "SWD at 64 px",
        "SWD at 16 px",
    ]


def test_a_missing_number_has_a_reason_and_a_footnote(inputs: Any) -> None:
    """A cell holds a number or a reason, never both, and every reason is among the notes."""
    table = everything_table(inputs["comparison"])
    cells = [cell for _, rows in table.groups for _, _, cells in rows for cell in cells]
    assert all(bool(cell.value) != bool(cell.why_missing) for cell in cells)
    assert {cell.why_missing for cell in cells if cell.why_missing} == set(table.notes)


def test_a_reason_given_in_the_table_wins() -> None:
    """A text column `<metric>_why` replaces the usual reason."""
    row = {"model": "baseline", "kid": np.nan, "kid_why": "only 12 pictures"}
    assert make_cells([row], BY_KEY["kid"])[0].why_missing == "only 12 pictures"


def test_neighbours_have_the_same_decimals() -> None:
    """The cells of one row are written with the same decimals."""
    rows = [
        {"model": model, "ssim": value, "ssim_low": value - half, "ssim_high": value + half}
        for model, value, half in (("a", 0.5, 0.02), ("b", 0.1, 0.004), ("c", 0.6, 0.02))
    ]
    assert [cell.value for cell in make_cells(rows, BY_KEY["ssim"])] == ["0.500", "0.100", "0.600"]


def test_the_chosen_lambda_is_marked_and_rows_rise(inputs: Any) -> None:
    """The tuning table rises in λ_p whatever its order was, and marks the chosen one alone."""
    rows = lambda_rows(inputs["lambda_table"].iloc[::-1])
    assert [row.lambda_text for row in rows] == ["0", "1", "5", "10"]
    assert [row.is_chosen for row in rows] == [False, True, False, False]


def test_a_share_of_the_gradient_stands_beside_its_weight(inputs: Any) -> None:
    """As a percentage; nothing where the training had no perceptual term."""
    table = inputs["lambda_table"].assign(perceptual_gradient_share=[None, 0.47, 0.9, 0.004])
    shares = [row.share_text.removesuffix(" of the gradient") for row in lambda_rows(table)]
    assert shares == ["", "47\u202f%", "90\u202f%", "0.40\u202f%"]


def test_the_choice_of_the_other_rule_is_marked_too(inputs: Any) -> None:
    """A reader sees which row the rule that was not used would have taken."""
    table = inputs["lambda_table"].assign(chosen_by_other_rule=[False, False, True, False])
    assert [row.is_other_choice for row in lambda_rows(table)] == [False, False, True, False]


def test_the_span_over_checkpoints_stands_beside_the_interval() -> None:
    """With `m_min` and `m_max` a cell holds both ends; without them, nothing."""
    row = {"model": "a", "ssim": 0.5, "ssim_low": 0.48, "ssim_high": 0.52}
    with_span = {**row, "ssim_min": 0.45, "ssim_max": 0.55}
    assert make_cells([with_span], BY_KEY["ssim"])[0].span == "0.450 to 0.550"
    assert make_cells([row], BY_KEY["ssim"])[0].span == ""


def test_every_checkpoint_is_a_row(inputs: Any) -> None:
    """One row for each, none where none were kept."""
    spread = inputs["checkpoint_spread"]
    assert [row.epoch for row in checkpoint_rows(spread)] == ["10", "11", "12"] * 2
    assert checkpoint_rows(spread.iloc[:0]) == ()


def test_a_reason_given_by_the_evaluation_is_shown() -> None:
    """The reason of the run wins, but not over what no run could measure."""
    rows = [{"model": m, "lpips_why": "no route"} for m in ("baseline", "real_paintings")]
    reasons = [cell.why_missing for cell in make_cells(rows, BY_KEY["lpips"])]
    assert reasons == ["no route", "a real painting has no photo of its own"]


def test_a_table_read_from_csv_is_the_same(inputs: Any, tmp_path: Any) -> None:
    """What went through the catalog's CSV file is worded as what did not."""
    inputs["lambda_table"].to_csv(tmp_path / "table.csv", index=False)
    again = pd.read_csv(tmp_path / "table.csv")
    assert lambda_rows(again) == lambda_rows(inputs["lambda_table"])


def test_columns_that_nothing_measured_are_left_out(inputs: Any) -> None:
    """KID, which is NaN throughout, is no column; SSIM is one even when it alone is missing."""
    keys = [measure.key for measure in lambda_measures(inputs["lambda_table"])]
    assert "kid" not in keys
    bare = pd.DataFrame({"model": ["lambda_1"], "lambda_perceptual": [1.0], "ssim": [np.nan]})
    assert [measure.key for measure in lambda_measures(bare)] == ["ssim"]
    assert lambda_rows(bare)[0].epochs == "–"
