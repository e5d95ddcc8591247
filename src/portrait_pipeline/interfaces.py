"""The pages of other programs that people look at: `kedro mlflow ui` and `kedro viz`."""

import subprocess
import sys
import webbrowser
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from kedro.framework.session import KedroSession
from kedro_mlflow.framework.cli.cli import init, modelify

from portrait_pipeline.commands import configure
from portrait_pipeline.hooks.experiment import ProjectMlflow, view_page
from portrait_pipeline.hooks.store import SERVERS
from portrait_pipeline.terminal import exit_with_one_sentence

# Kedro-Viz's page with the parts of a pipeline and without their data, which its filter adds:
# so the whole of it is readable on one screen.
OVERVIEW = "?types=nodes"


class VizGroup(click.Group):
    """Kedro-Viz's own commands, imported once one is asked for; without a name it is `run`."""

    names = ("build", "deploy", "run")

    def list_commands(self, context: click.Context) -> list[str]:
        """List the commands."""
        return list(self.names)

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Put `run` in front of options that follow no command."""
        is_named = bool(args) and args[0] in (*self.names, "--help")
        return super().parse_args(context, args if is_named else ["run", *args])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import a command; `run` opens the overview in place of Kedro-Viz's first page."""
        if name not in self.names:
            return None
        utils: Any = import_module("kedro_viz.launchers.utils")
        utils._start_browser = open_overview
        command: click.Command = getattr(import_module(f"kedro_viz.launchers.cli.{name}"), name)
        return command


def open_overview(host: str, port: int) -> None:
    """Open the overview in a browser of this machine."""
    page = f"http://{host}:{port}/{OVERVIEW}"
    click.echo(f"The parts of the pipeline, without their data:\n  {page}")
    webbrowser.open_new(page)


viz = VizGroup(name="viz", help="Draw the pipelines in Kedro-Viz.")


@click.group()
def mlflow() -> None:
    """Use MLflow inside the project; `ui` opens its page."""


mlflow.add_command(init)
mlflow.add_command(modelify)


@mlflow.command()
@click.option("--env", "-e", default=None, help="sample, study, or base for the report's own.")
@click.option("--workspace", default=None, help="By default that of the environment.")
@click.option(
    "--port",
    "-p",
    type=click.IntRange(1, 65535),
    help="By default that of conf/base/mlflow.yml, 5000.",
)
@click.option("--host", "-h", default=None, help="By default 127.0.0.1, this machine alone.")
@click.pass_context
def ui(
    context: click.Context,
    /,
    env: str | None,
    workspace: str | None,
    port: int | None,
    host: str | None,
) -> None:
    """Open MLflow's page, with the models of a workspace side by side."""
    configure(context, verbose=False)
    given = {"workspace": workspace} if workspace else None
    project = context.obj.project_path
    exit_with_one_sentence(
        lambda: _open_mlflow(_settings(project, env, given), port, host), verbose=False
    )


def _settings(project: Path, env: str | None, given: dict[str, Any] | None) -> ProjectMlflow:
    with KedroSession.create(
        project, env=env, runtime_params=given, save_on_close=False
    ) as session:
        settings: ProjectMlflow = session.load_context().mlflow  # type: ignore[attr-defined]  # kedro-mlflow adds it
    return settings


def _open_mlflow(settings: ProjectMlflow, port: int | None, host: str | None) -> None:
    uri = settings.server.mlflow_tracking_uri
    host, port = host or settings.ui.host, port or settings.ui.port
    is_server = urlsplit(uri).scheme in SERVERS
    page = page_of(settings, uri if is_server else f"http://{host}:{port}")
    click.echo(f"The models side by side:\n  {page}")
    if is_server:
        webbrowser.open(page)
        return
    sys.exit(subprocess.run(ui_command(uri, host, str(port)), check=False).returncode)


def ui_command(store: str, host: str, port: str) -> list[str]:
    """Return what serves MLflow's page to one person, and starts soon.

    It is a module of this Python, so that no program `mlflow` need be on the PATH.
    """
    command = [sys.executable, "-m", "mlflow", "ui", "--workers=1", f"--backend-store-uri={store}"]
    return [*command, f"--host={host}", f"--port={port}"]


def page_of(settings: ProjectMlflow, address: str) -> str:
    """Return the address of the workspace's models, or of MLflow where none was trained yet."""
    client, name = settings.server._mlflow_client, settings.tracking.experiment.name
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        click.echo(f"Nothing was trained in {name} yet.")
        return address
    return f"{address}/{view_page(experiment.experiment_id)}"
