"""The command of a run can be typed again."""

from typing import Any

import pytest

from portrait_pipeline.hooks.commands import command_of


@pytest.mark.parametrize(
    ("params", "command"),
    [
        ({"pipeline_names": None, "env": None}, "kedro run"),
        (
            {
                "pipeline_names": ["tune"],
                "env": "sample",
                "runtime_params": {"resume": True, "training": {"num_epochs": 2}},
            },
            "kedro run --env=sample --pipeline=tune --params resume=true,training.num_epochs=2",
        ),
    ],
)
def test_a_run_can_be_typed_again(params: dict[str, Any], command: str) -> None:
    """The command on the page is the one that was typed."""
    assert command_of(params)[0] == command
