"""The notebook of the results."""

import ast
import re

import nbformat
import pytest
from support.notebook import NOTEBOOKS

from portrait_pipeline.pipelines.reporting.pipeline import create_pipeline

NOTEBOOK = nbformat.read(NOTEBOOKS / "results.ipynb", as_version=4)
CODE = [cell for cell in NOTEBOOK.cells if cell.cell_type == "code"]


def test_it_holds_no_outputs() -> None:
    """Outputs are stripped, so that no result stands in the history of the repository."""
    assert all(cell.outputs == [] and cell.execution_count is None for cell in CODE)


def test_it_defines_nothing() -> None:
    """No function, class or variable is made: what it shows comes from the catalog."""
    made = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.Assign, ast.AnnAssign, ast.AugAssign)
    for cell in CODE:
        if not cell.source.startswith("%"):
            assert not [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, made)]


@pytest.mark.parametrize("has_tuning", [True, False])
def test_it_loads_what_the_report_reads_and_writes(has_tuning: bool) -> None:
    """Of an experiment with a tuning and of one without; only what is asked for may be missing."""
    cells = [cell.source for cell in CODE if has_tuning or "catalog.exists" not in cell.source]
    loaded = {name for source in cells for name in re.findall(r'load\("(\w+)"\)', source)}
    assert loaded
    models = {"baseline": "baseline", "proposed": "proposed"}
    assert loaded <= create_pipeline(models, has_tuning).datasets()
