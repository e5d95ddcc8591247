"""Tables hold names as text: what is saved is what is loaded."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kedro.io import DatasetError

from portrait_pipeline.datasets import table as table_module
from portrait_pipeline.datasets.table import StoredTableDataset, TableDataset
from portrait_pipeline.faces.shards import MergedTable, Table

AWKWARD = [
    *("Icon\r", "NA", "null", "None", "nan", "N/A", "<NA>", "-", "1e5", "007", "0x1F", "inf"),
    *("True", "1_000", " lead", "trail ", "\t", "new\nline", "\r\n", 'q"uote', '"', "'", "a,b"),
    *("a;b", "#hash", "\\", "\\n", "=1+1", "中文" * 19, "é\u0301", "\u202e", "\x1b[2J", "\x7f"),
]

LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


def comes_back(names: list[str], folder: Path) -> bool:
    dataset = TableDataset(filepath=str(folder / "table.csv"))
    dataset.save(pd.DataFrame({"name": names, "photo": names, "number": range(len(names))}))
    table = dataset.load()
    assert table["number"].tolist() == list(range(len(names)))
    return table["name"].tolist() == table["photo"].tolist() == names


@pytest.mark.parametrize("name", AWKWARD)
def test_a_name_alone_in_its_table_comes_back(tmp_path: Path, name: str) -> None:
    """No other row tells the reader that the column is text."""
    assert comes_back([name], tmp_path)


def test_all_names_in_one_table_come_back(tmp_path: Path) -> None:
    """Names do not run into one another."""
    assert comes_back(AWKWARD, tmp_path)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(LETTERS, min_size=1)))
def test_any_names_come_back(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    """Whatever Unicode a file system takes, the table takes."""
    assert comes_back(names, tmp_path_factory.mktemp("table"))


def test_what_is_missing_stays_missing(tmp_path: Path) -> None:
    """Missing text and numbers are missing, truth is truth, and numbers keep every digit."""
    saved = pd.DataFrame(
        {
            "reason": [None, "duplicate"],
            "value": [np.nan, 0.1 + 0.2],
            "kept": [True, False],
            "count": [1, 2**53 + 1],
        }
    )
    dataset = TableDataset(filepath=str(tmp_path / "table.csv"))
    dataset.save(saved)
    table = dataset.load()
    assert table["reason"].isna().tolist() == [True, False]
    assert table["value"].isna().tolist() == [True, False]
    assert table["kept"].tolist() == [True, False]
    assert table["count"].tolist() == [1, 2**53 + 1]


class AsciiUnlessToldOtherwise(io.TextIOWrapper):
    """A text file as a machine opens it whose locale knows no other letters."""

    def __init__(self, buffer: Any, encoding: str | None = None, **options: Any) -> None:
        super().__init__(buffer, encoding or "ascii", **options)


def test_the_encoding_is_not_that_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table written under a locale of one byte a letter is UTF-8 all the same."""
    monkeypatch.setattr("io.TextIOWrapper", AsciiUnlessToldOtherwise)
    TableDataset(filepath=str(tmp_path / "t.csv")).save(pd.DataFrame({"name": ["中"]}))
    assert "中" in (tmp_path / "t.csv").read_bytes().decode("utf-8")


class LineEndsOfWindows(io.TextIOWrapper):
    """A text file as Windows opens it: line ends are translated unless the caller says no."""

    def __init__(self, buffer: Any, encoding: str | None = None, **options: Any) -> None:
        if options.get("newline") is None:
            options["newline"] = "\r\n"
        super().__init__(buffer, encoding, **options)


def test_line_ends_are_those_of_the_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where text files get the system's line ends, a name keeps the ones that it has."""
    monkeypatch.setattr("io.TextIOWrapper", LineEndsOfWindows)
    TableDataset(filepath=str(tmp_path / "t.csv")).save(pd.DataFrame({"name": ["a\nb", "c"]}))
    written = (tmp_path / "t.csv").read_bytes()
    assert b'"a\nb"' in written
    assert b"\r\r" not in written


def test_a_table_of_an_earlier_version_has_todays_domains(tmp_path: Path) -> None:
    """Splits and audits that call the paintings portraits load with the domains of today."""
    (tmp_path / "splits.csv").write_text(
        "name,domain,split\na.png,photo,train\nportrait,portrait,test\n"
    )
    table = TableDataset(filepath=str(tmp_path / "splits.csv")).load()
    assert table["domain"].tolist() == ["photo", "painting"]
    assert table["name"].tolist() == ["a.png", "portrait"]


def shards_in(folder: Path, table: pd.DataFrame, order: np.ndarray) -> list[Table]:
    """Divide a table; all shards but the first lie in files."""
    parts: list[Table] = [table[order == shard] for shard in range(3)]
    for shard in (1, 2):
        dataset = StoredTableDataset(filepath=str(folder / f"{shard}.csv"))
        dataset.save(table[order == shard])
        parts[shard] = dataset.load()
    return parts


@pytest.mark.parametrize("read_ahead", [3, 2**20])
@pytest.mark.parametrize("names", [AWKWARD, []])
def test_merged_shards_are_the_file_of_the_whole_table(
    tmp_path: Path, names: list[str], read_ahead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law: byte for byte, wherever a shard lies, and however little of it is read at once."""
    monkeypatch.setattr(table_module, "READ_AHEAD_BYTES", read_ahead)
    order = np.random.default_rng(0).integers(0, 3, len(names))
    number = np.where(np.arange(len(names)) % 3, np.random.default_rng(1).uniform(), np.nan)
    table = pd.DataFrame({"name": pd.array(names, "string"), "number": number, "kept": True})
    whole, merged = tmp_path / "whole.csv", tmp_path / "merged.csv"
    TableDataset(filepath=str(whole)).save(table)
    TableDataset(filepath=str(merged)).save(MergedTable(order, shards_in(tmp_path, table, order)))
    assert merged.read_bytes() == whole.read_bytes()


def test_shards_that_do_not_fit_are_not_merged(tmp_path: Path) -> None:
    """Law: a row too few, a row too many and another column are refused."""
    order = np.array([0, 1, 2, 1])
    table = pd.DataFrame({"name": list("abcd")})
    parts = shards_in(tmp_path, table, order)
    dataset = TableDataset(filepath=str(tmp_path / "merged.csv"))
    for wrong, words in (
        (MergedTable(np.array([0, 1, 2, 1, 2]), parts), "shard 2 has fewer rows"),
        (MergedTable(order[:-1], parts), "more rows than the 3"),
        (MergedTable(order, [table.assign(further=1), *parts[1:]]), "different columns"),
    ):
        with pytest.raises(DatasetError, match=words):
            dataset.save(wrong)


def test_a_stored_table_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    """Law: loading reads nothing; then it is the table that `TableDataset` loads."""
    file = tmp_path / "table.csv"
    dataset = StoredTableDataset(filepath=str(file))
    stored = dataset.load()
    assert not dataset.exists()
    dataset.save(pd.DataFrame({"name": ["007"], "number": [0.1 + 0.2]}))
    pd.testing.assert_frame_equal(stored.read(), TableDataset(filepath=str(file)).load())
