"""The command of a run can be typed again."""

import shlex
from typing import Any

import click
import pytest
from kedro.framework.cli.project import run as kedro_run

from portrait_pipeline.hooks.commands import command_of

COMMANDS = [
    "kedro run",
    "kedro run --env=sample --pipeline=tune --params resume=true,training.num_epochs=2",
    "kedro run --pipelines=evaluate,report",
    "kedro run --env=sample --pipeline=evaluate --nodes=score_baseline,score_proposed",
    "kedro run --tags=gpu --namespaces=baseline",
    "kedro run --from-nodes=tabulate_comparison --to-nodes=compare_models",
    "kedro run --from-inputs=comparison --to-outputs=report",
    "kedro run --load-versions=baseline_checkpoint:2026-11-26T09.10.11.123Z",
    "kedro run --runner=ThreadRunner --conf-source=/ --async --only-missing-outputs",
    "kedro run --params 'photos.folder=my pictures,workspace=mine'",
    "kedro run --params training.teacher_weights=null,training.learning_rate=0.0002",
]


def recorded(command: str) -> str:
    """Parse a command as Kedro does, and return what is recorded of the run that it starts."""
    told: list[str] = []

    def run(**options: Any) -> None:
        kedros = {"env": options["env"], "runtime_params": options["params"]}
        kedros["pipeline_names"] = [*options["pipelines"], *filter(None, [options["pipeline"]])]
        kedros["runner"] = "<kedro.runner.SequentialRunner object at 0x1>"
        told.append(command_of({**options, **kedros})[0])

    same = click.Command("run", params=kedro_run.params, callback=run)
    same.main(shlex.split(command)[2:], standalone_mode=False, prog_name="run")
    return told[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_run_can_be_typed_again(command: str) -> None:
    """What is recorded is what was typed, with all that chooses what is run, and how."""
    assert shlex.split(recorded(command)) == shlex.split(command)


def test_a_run_from_python_is_recorded_too() -> None:
    """Without a command line the parameters of the run say what was done."""
    params = {"pipeline_names": ["tune"], "env": "sample", "node_names": ("choose_lambda",)}
    command, name = command_of({**params, "runtime_params": {"resume": True}})
    assert command == (
        "kedro run --env=sample --pipeline=tune --nodes=choose_lambda --params resume=true"
    )
    assert name == "tune"


def test_secrets_are_not_recorded() -> None:
    """A password in an address stays out of the record."""
    given = {"photos": {"archive": "https://me:secret@host.example/a.zip?token=secret"}}
    assert "secret" not in command_of({"runtime_params": given})[0]
