"""Names of parameters and datasets in earlier versions, still accepted with a warning."""

import logging
from collections.abc import Mapping
from typing import Any

LOGGER = logging.getLogger(__name__)

PARAMETERS = {
    "portraits_folder": "paintings_folder",
    "portraits": "paintings",
    "sample.num_portraits": "sample.num_paintings",
    "audit.drop_monochrome_portraits": "audit.drop_monochrome_paintings",
}
DATASETS = {
    "portrait_faces": "painting_faces",
    "portrait_sources": "painting_sources",
    "portrait_survey": "painting_survey",
    "raw_portraits_folder": "raw_paintings_folder",
}
OLD_PREFIX, PREFIX = "reference_", "lambda_0_"
"""The tuning's model with λ_p = 0 gave its name to `reference_checkpoint` and eight others."""
MODEL_DATASETS = (
    "checkpoint",
    "history",
    "portraits",
    "portraits_by_epoch",
    "reconstructions",
    "run",
    "scores",
    "summary",
    "training_state",
)


def present_parameter(name: str) -> str:
    """Return today's name of a parameter; a name that is not old is returned as it is."""
    return _present(name, PARAMETERS)


def present_dataset(name: str) -> str:
    """Return today's name of a dataset; a name that is not old is returned as it is."""
    of_lambda_0 = {f"{OLD_PREFIX}{part}": f"{PREFIX}{part}" for part in MODEL_DATASETS}
    return _present(name, {**DATASETS, **of_lambda_0})


def present_parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters under today's names, those of one level below a group included."""
    renamed: dict[str, Any] = {}
    for name, value in given.items():
        group = present_parameter(name)
        renamed[group] = _present_members(group, value) if isinstance(value, Mapping) else value
    return renamed


def present_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of `kedro run` with today's names of parameters and datasets."""
    renamed = dict(options)
    renamed["params"] = present_parameters(options.get("params") or {})
    versions = options.get("load_versions") or {}
    renamed["load_versions"] = {
        present_dataset(name): version for name, version in versions.items()
    }
    for option in ("from_inputs", "to_outputs"):
        renamed[option] = [present_dataset(name) for name in options.get(option) or ()]
    return renamed


def _present_members(group: str, members: Mapping[str, Any]) -> dict[str, Any]:
    names = {key: present_parameter(f"{group}.{key}") for key in members}
    return {names[key].removeprefix(f"{group}."): value for key, value in members.items()}


def _present(name: str, names: Mapping[str, str]) -> str:
    if name not in names:
        return name
    LOGGER.warning("%s is now called %s; the old name will stop working", name, names[name])
    return names[name]
