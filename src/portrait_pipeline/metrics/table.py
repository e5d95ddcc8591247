"""From summaries to rows of the tables that people read."""

from collections.abc import Hashable, Mapping
from typing import Any

FACTS = ("model", "lambda_perceptual", "epochs", "n")
NAMES = ("judge", "teacher")


def row_of(summary: Mapping[str, Any]) -> dict[Hashable, Any]:
    """Lay one summary out flat: facts, then `m`, `m_low`, `m_high` of each metric m, then names.

    Args:
        summary: Facts of a model or control, and `metrics`: name → value, low, high.
    """
    row: dict[Hashable, Any] = {key: summary.get(key) for key in FACTS}
    for name, interval in summary["metrics"].items():
        row[name] = interval["value"]
        row[f"{name}_low"], row[f"{name}_high"] = interval["low"], interval["high"]
    return {**row, **{key: summary.get(key) for key in NAMES}}
