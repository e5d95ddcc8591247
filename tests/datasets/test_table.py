"""Tables hold names as text: what is saved is what is loaded."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portrait_pipeline.datasets.table import TableDataset

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
