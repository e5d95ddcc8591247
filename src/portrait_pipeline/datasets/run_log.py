"""What was run, and how long each stage took: kept beside the results for the report page."""

import json
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from portrait_pipeline.files import write_whole


class RunLogDataset(AbstractDataset[dict[str, Any], dict[str, Any]]):
    """`commands` by pipeline and `durations` in seconds by node; a save adds to what is there.

    Before anything was run it loads as two empty dictionaries.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> dict[str, Any]:
        """Read the log."""
        if not self._filepath.is_file():
            return {"commands": {}, "durations": {}}
        log: dict[str, Any] = json.loads(self._filepath.read_text(encoding="utf-8"))
        return log

    def save(self, data: dict[str, Any]) -> None:
        """Add entries; one that is there already is replaced, and comes last."""
        log = self.load()
        for part, entries in data.items():
            kept = {key: value for key, value in log[part].items() if key not in entries}
            log[part] = {**kept, **entries}
        write_whole(self._filepath, json.dumps(log, indent=1).encode())

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
