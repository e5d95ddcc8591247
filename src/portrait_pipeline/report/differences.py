"""How much the models differ on the same pictures, with intervals, for the page."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from portrait_pipeline.report.measures import BY_KEY, Measure
from portrait_pipeline.report.models import model_label
from portrait_pipeline.report.tables import LAMBDA_KEYS, Cell
from portrait_pipeline.report.wording import write_measurement


@dataclass(frozen=True)
class DifferenceRow:
    """One model less the one that it is compared with; a cell for each measure."""

    models: str
    cells: tuple[Cell, ...]


def difference_measures(differences: pd.DataFrame) -> tuple[Measure, ...]:
    """Choose the columns: the measures in which any two models were compared."""
    known = set(differences["measure"])
    return tuple(BY_KEY[key] for key in LAMBDA_KEYS if key in known)


def difference_rows(differences: pd.DataFrame) -> tuple[DifferenceRow, ...]:
    """Write a row for each pair of models, in the order of the table; empty without any."""
    measures = difference_measures(differences)
    pairs = differences.groupby(["model", "compared_with"], sort=False)
    rows = []
    for (model, other), group in pairs:
        found = group.set_index("measure").to_dict(orient="index")
        cells = tuple(_cell(found.get(measure.key), measure) for measure in measures)
        names = f"{model_label(str(model))} minus {model_label(str(other))}"
        rows.append(DifferenceRow(names, cells))
    return tuple(rows)


def _cell(row: dict[Any, Any] | None, measure: Measure) -> Cell:
    if row is None:
        return Cell(why_missing=measure.why_missing)
    return Cell(*write_measurement(row["difference"], row["low"], row["high"], measure.unit))
