"""Names that were replaced are accepted on the command line, each with one line of warning."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro.framework.cli.project import run as kedro_run

from portrait_pipeline.old_names import (
    DATASETS,
    MODEL_DATASETS,
    OLD_PREFIX,
    PARAMETERS,
    present_dataset,
    present_options,
    present_parameters,
)
from portrait_pipeline.pipeline_registry import register_pipelines

ROOT = Path(__file__).resolve().parents[1]


def _base_parameters() -> set[str]:
    """Return the names in conf/base, and those one level below a group."""
    names = set()
    for path in (ROOT / "conf/base").glob("parameters*.yml"):
        for name, value in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            inner = value if isinstance(value, dict) else {}
            names |= {name, *(f"{name}.{key}" for key in inner)}
    return names


@pytest.mark.parametrize(("old", "new"), sorted(PARAMETERS.items()))
def test_an_old_parameter_is_accepted(old: str, new: str, caplog: pytest.LogCaptureFixture) -> None:
    """It reaches today's parameter, which exists, with one line that names both."""
    assert new in _base_parameters()
    group, _, key = old.partition(".")
    given: dict[str, Any] = {group: {key: 1}} if key else {group: "DIR"}
    group, _, key = new.partition(".")
    assert present_parameters(given) == ({group: {key: 1}} if key else {group: "DIR"})
    assert caplog.messages == [f"{old} is now called {new}; the old name will stop working"]


@pytest.mark.parametrize("old", [*DATASETS, *(f"{OLD_PREFIX}{part}" for part in MODEL_DATASETS)])
def test_an_old_dataset_is_accepted(old: str, caplog: pytest.LogCaptureFixture) -> None:
    """It becomes the name of a dataset that some pipeline has, with a warning."""
    datasets = {name for pipeline in register_pipelines().values() for name in pipeline.datasets()}
    assert present_dataset(old) in datasets
    assert old not in datasets
    assert len(caplog.messages) == 1


def test_every_option_with_names_is_read() -> None:
    """Parameters, inputs, outputs and versions get today's names; other options stay."""
    options = present_options(
        {
            "params": {"portraits_folder": "DIR", "seed": 1},
            "from_inputs": ["portrait_faces", "splits"],
            "to_outputs": ["reference_summary"],
            "load_versions": {"reference_checkpoint": "2026"},
            "pipeline": "tune",
        }
    )
    assert options == {
        "params": {"paintings_folder": "DIR", "seed": 1},
        "from_inputs": ["painting_faces", "splits"],
        "to_outputs": ["lambda_0_summary"],
        "load_versions": {"lambda_0_checkpoint": "2026"},
        "pipeline": "tune",
    }


def test_the_options_are_those_of_kedro() -> None:
    """Kedro's command has the options whose names are read."""
    known = {option.name for option in kedro_run.params}
    assert set(present_options({})) <= known


def test_present_names_pass_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    """Names that are not old are left alone, whatever they look like."""
    given = {"paintings_folder": "DIR", "sample": {"num_paintings": 2}, "portraits_folder_x": 1}
    assert present_parameters(given) == given
    assert present_dataset("lambda_0_checkpoint") == "lambda_0_checkpoint"
    assert not caplog.messages
