"""The project's commands: `kedro run` with a quiet terminal, and what people do with a model."""

from copy import copy
from typing import Any

from portrait_pipeline.extras import exit_without

exit_without("train", "kedro")

import click  # noqa: E402
from click.core import ParameterSource  # noqa: E402
from kedro.framework.cli.project import run as kedro_run  # noqa: E402

from portrait_pipeline.commands import app, params_as_typed, portray  # noqa: E402
from portrait_pipeline.datasets.workspace_lock import release_locks  # noqa: E402
from portrait_pipeline.hooks.tracking import close_run_as_killed  # noqa: E402
from portrait_pipeline.interfaces import mlflow, viz  # noqa: E402
from portrait_pipeline.old_names import present_options  # noqa: E402
from portrait_pipeline.terminal import configure_logging, exit_with_one_sentence  # noqa: E402

EMPTY: tuple[object, ...] = ("", [], [""], (), ("",))


@click.group(name="portrait_pipeline")
def cli() -> None:
    """Turn photographs into painted portraits that keep the person recognisable."""


cli.add_command(portray)
cli.add_command(app)
cli.add_command(mlflow)
cli.add_command(viz)


def _options() -> list[click.Parameter]:
    """Return Kedro's own options, of which `--params` keeps names and paths as they are typed."""
    options = [copy(option) for option in kedro_run.params]
    for option in options:
        if option.name == "params":
            option.callback = params_as_typed
    return options


@cli.command(params=_options(), help=kedro_run.help)
@click.option("--verbose", "-v", is_flag=True, help="Show all logs and tracebacks.")
@click.pass_context
def run(context: click.Context, /, verbose: bool, **options: Any) -> None:
    """Run a pipeline with a terminal that says what a person wants to know."""
    if context.obj is not None:
        configure_logging(context.obj, verbose)
    _refuse_empty(context, options)
    exit_with_one_sentence(lambda: _run_or_close(options), verbose)


def _refuse_empty(context: click.Context, options: dict[str, Any]) -> None:
    """Refuse `--pipeline=` and the like, which a variable of the shell that is not set leaves.

    Raises:
        BadParameter: since without its value the option would mean everything.
    """
    for option in context.command.params:
        is_given = context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
        if is_given and option.name != "params" and options.get(option.name or "") in EMPTY:
            raise click.BadParameter("it is empty, expected a value", context, option)


def _run_or_close(options: dict[str, Any]) -> None:
    kedros_own: Any = kedro_run.callback
    try:
        kedros_own(**present_options(options))
    except KeyboardInterrupt:
        close_run_as_killed()
        release_locks()
        raise
