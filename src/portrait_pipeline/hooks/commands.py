"""The command that starts a run again, as a person types it."""

from collections.abc import Mapping
from typing import Any


def command_of(run_params: Mapping[str, Any]) -> tuple[str, str]:
    """Return the command that starts such a run again, and the name of its pipeline."""
    names = run_params.get("pipeline_names") or [run_params.get("pipeline_name") or "__default__"]
    name = ",".join(names)
    parts = ["kedro run"]
    if run_params.get("env"):
        parts.append(f"--env={run_params['env']}")
    if name != "__default__":
        parts.append(f"--pipeline={name}")
    given = run_params.get("runtime_params") or {}
    if given:
        parts.append("--params " + ",".join(_as_typed(given)))
    return " ".join(parts), name


def _as_typed(values: Mapping[str, Any], prefix: str = "") -> list[str]:
    typed = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            typed += _as_typed(value, f"{prefix}{key}.")
        else:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            typed.append(f"{prefix}{key}={text}")
    return typed
