"""The version that is loaded is the one that was saved last, or the one that was asked for."""

from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset, Version
from kedro.pipeline import node, pipeline
from kedro_datasets.pandas import CSVDataset

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.hooks.versions import check_load_versions, save_as_newest


def table(folder: Path, save: str | None) -> CSVDataset:
    return CSVDataset(filepath=str(folder / "table.csv"), version=Version(None, save))


def hand_on(value: pd.DataFrame) -> pd.DataFrame:
    """Do nothing."""
    return value


@pytest.mark.parametrize(
    ("there", "now"),
    [
        (["2026-11-26T09.00.00.000Z"], "2026-11-26T08.00.00.000Z"),  # set back an hour
        (["2026-11-26T09.00.00.000Z"], "2026-11-26T09.00.00.000Z"),  # the same millisecond
        (["2026-11-26T09.59.59.999Z"], "2026-11-26T09.59.59.000Z"),  # carries over
        (["2099-01-01T00.00.00.000Z"], "2026-11-26T09.00.00.000Z"),  # another machine's clock
        (["9999-12-31T23.59.59.999Z"], "2026-11-26T09.00.00.000Z"),  # no later time
        (["first", "mine"], "2026-11-26T09.00.00.000Z"),  # named by a person
        (["2026-11-26T08.00.00.000Z"], "2026-11-26T09.00.00.000Z"),  # as it should be
        ([], "2026-11-26T09.00.00.000Z"),
    ],
)
def test_what_is_saved_is_what_is_loaded(there: list[str], now: str, tmp_path: Path) -> None:
    """Law: whatever versions are there, the next load gives what was saved last."""
    for version in there:
        table(tmp_path, version).save(pd.DataFrame({"a": ["old"]}))
    catalog = DataCatalog({"start": MemoryDataset(1), "table": table(tmp_path, now)})
    save_as_newest(pipeline([node(hand_on, "start", "table")]), catalog)
    catalog["table"].save(pd.DataFrame({"a": ["new"]}))
    assert table(tmp_path, None).load()["a"].item() == "new"
    assert catalog["table"].load()["a"].item() == "new"


def test_the_versions_that_exist_are_named(tmp_path: Path) -> None:
    """A mistyped version is answered with the newest ones; one that is there is taken."""
    for day in range(1, 8):
        table(tmp_path, f"2026-11-0{day}").save(pd.DataFrame({"a": [day]}))
    catalog = DataCatalog({"table": table(tmp_path, None), "memory": MemoryDataset(1)})
    check_load_versions({"table": "2026-11-03"}, catalog)
    check_load_versions(None, catalog)
    with pytest.raises(
        PortraitPipelineError,
        match=r"table:2026-11-30 is not there, expected one of 2026-11-07, .* and 2 older ones",
    ):
        check_load_versions({"table": "2026-11-30"}, catalog)
    with pytest.raises(PortraitPipelineError, match="memory:1 is not there, expected one of none"):
        check_load_versions({"memory": "1"}, catalog)
