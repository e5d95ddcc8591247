"""Tables as CSV files that preserve names and other text exactly."""

import csv
from typing import Any, ClassVar

import pandas as pd
from kedro_datasets.pandas import CSVDataset

TEXT_COLUMNS = (
    *("name", "path", "twin_path", "title", "artist", "date", "licence", "domain", "split"),
    *("content_hash", "perceptual_hash", "fault", "reason", "duplicate_of", "crop_from"),
    *("photo", "result", "files", "detail", "model", "judge", "teacher"),
)
EARLIER_DOMAINS = {"portrait": "painting"}


class TableDataset(CSVDataset):  # type: ignore[misc]  # kedro-datasets ships no types
    """Saves and loads a table as `pandas.CSVDataset` does, in UTF-8 and with all text quoted.

    `TEXT_COLUMNS` are read as text whatever they look like (`NA`, `007`, `1e5`); of the others
    pandas finds the type. Only what is empty is missing. Tables of earlier versions, which called
    the paintings portraits, get today's name of the domain.
    """

    DEFAULT_LOAD_ARGS: ClassVar[dict[str, Any]] = {
        "keep_default_na": False,
        "na_values": [""],
        "dtype": dict.fromkeys(TEXT_COLUMNS, "str"),
    }
    DEFAULT_SAVE_ARGS: ClassVar[dict[str, Any]] = {
        "index": False,
        "quoting": csv.QUOTE_NONNUMERIC,
    }
    DEFAULT_FS_ARGS: ClassVar[dict[str, Any]] = {
        "open_args_save": {"mode": "w", "encoding": "utf-8", "newline": ""}
    }

    def load(self) -> pd.DataFrame:
        """Read the table."""
        table: pd.DataFrame = super().load()
        if "domain" in table:
            table["domain"] = table["domain"].replace(EARLIER_DOMAINS)
        return table
