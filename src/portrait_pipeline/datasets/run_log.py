"""Records which commands were run and how long each node took, for the report page."""

import json
import logging
import math
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from portrait_pipeline.files import parse_json, write_whole
from portrait_pipeline.masking import mask_values

logger = logging.getLogger(__name__)

PARTS = ("commands", "durations")


class RunLogDataset(AbstractDataset[dict[str, Any], dict[str, Any]]):
    """`commands` by pipeline and `durations` in seconds by node; a save adds to what is there.

    Before anything was run it loads as two empty dictionaries.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> dict[str, Any]:
        """Read the log; a damaged one starts again, since it only describes what was done."""
        try:
            return _checked(parse_json(self._filepath.read_bytes()))
        except FileNotFoundError:
            pass
        except (ValueError, TypeError, KeyError, AttributeError, OSError):
            logger.warning("%s is damaged and is begun again", self._filepath)
        return {part: {} for part in PARTS}

    def save(self, data: dict[str, Any]) -> None:
        """Add entries, secrets masked; an existing entry is replaced and moves to the end."""
        log = self.load()
        for part, entries in mask_values(data).items():
            kept = {key: value for key, value in log[part].items() if key not in entries}
            log[part] = {**kept, **entries}
        write_whole(self._filepath, json.dumps(log, indent=1).encode())

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


def _checked(log: Any) -> dict[str, Any]:
    """Return commands that can be written and durations that can be added up.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: whatever is there instead of them.
    """
    commands = {str(key): text for key, text in log["commands"].items() if text.encode()}
    seconds = {str(key): float(value) for key, value in log["durations"].items()}
    "".join((*commands, *seconds)).encode()  # names that are no Unicode cannot be written either
    if not all(map(math.isfinite, seconds.values())):
        raise ValueError("a duration is no number")
    return {"commands": commands, "durations": seconds}
