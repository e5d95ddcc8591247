"""The table of differences on the page: every model that was compared, with intervals."""

import pandas as pd

from portrait_pipeline.report.differences import difference_measures, difference_rows

COLUMNS = ["model", "compared_with", "measure", "difference", "low", "high", "n", "sentence"]
ROWS = [
    ("light", "baseline", "rank_1", 0.25, 0.2, 0.3, 40, ""),
    ("light", "baseline", "kid", -12.0, -20.0, -4.0, 40, "So."),
    ("dark_seed_1", "baseline_seed_1", "kid", 1.5, -3.0, 6.0, 40, "So."),
]
DIFFERENCES = pd.DataFrame(ROWS, columns=COLUMNS)


def test_every_pair_is_a_row_with_its_intervals() -> None:
    """In the order of the table; what was not compared is a reason, not a number."""
    assert [measure.key for measure in difference_measures(DIFFERENCES)] == ["rank_1", "kid"]
    light, dark = difference_rows(DIFFERENCES)
    assert light.models == "Light minus Baseline"
    assert dark.models == "Dark seed 1 minus Baseline seed 1"
    assert [cell.interval for cell in light.cells] == ["[20, 30]", "[\u221220.0, \u22124.0]"]
    assert dark.cells[0].value == ""
    assert dark.cells[0].why_missing
    assert difference_rows(DIFFERENCES.iloc[:0]) == ()
