"""Scores are taken for those of one training only."""

from pathlib import Path

import pandas as pd
import pytest

from portrait_pipeline.datasets.table import TableDataset
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.scoring.freshness import check_scores_are_fresh, training_mark

ROWS = [
    {"epoch": 1, "step": 8, "learning_rate": 2e-4, "generator_loss": 1 / 3, "cycle_loss": 0.1},
    {"epoch": 2, "step": 16, "learning_rate": 1e-4, "generator_loss": 2e-7 / 3, "ssim": 0.25},
]
HISTORY = pd.DataFrame(ROWS)


def comparison(**marks: str | None) -> pd.DataFrame:
    return pd.DataFrame({"model": list(marks), "training": list(marks.values())})


def test_the_mark_outlives_the_file(tmp_path: Path) -> None:
    """What a table of the catalog gives back has the mark of what was saved."""
    dataset = TableDataset(filepath=str(tmp_path / "history.csv"))
    dataset.save(HISTORY)
    assert training_mark(dataset.load()) == training_mark(HISTORY)


@pytest.mark.parametrize(
    ("row", "name", "value"),
    [(0, "generator_loss", 0.33334), (1, "ssim", 0.26), (1, "step", 17), (0, "ssim", 0.1)],
)
def test_another_training_has_another_mark(row: int, name: str, value: float) -> None:
    """One number that differs, in any column and epoch, is enough; so is one epoch more."""
    changed = HISTORY.astype({"step": "float64"})
    changed.loc[row, name] = value
    assert training_mark(changed) != training_mark(HISTORY)
    assert training_mark(HISTORY.head(1)) != training_mark(HISTORY)


def test_scores_of_a_former_training_are_refused() -> None:
    """The sentence names the models that were trained anew, and what to run."""
    mark, histories = training_mark(HISTORY), {"baseline": HISTORY, "proposed": HISTORY}
    fresh = comparison(baseline=mark, proposed=mark, photo_itself=None)
    assert check_scores_are_fresh(fresh, histories) is fresh
    for stale in ("baseline", "proposed"):
        table = comparison(**{"baseline": mark, "proposed": mark, stale: "t0"})
        with pytest.raises(PortraitPipelineError, match=rf"scores of {stale} belong.*evaluate"):
            check_scores_are_fresh(table, histories)


def test_tables_of_older_versions_are_taken_as_they_are() -> None:
    """Without a mark nothing can be compared."""
    older = pd.DataFrame({"model": ["baseline"]})
    assert check_scores_are_fresh(older, {"baseline": HISTORY}) is older
