"""Runs commands of a copy of the project in one process of their own: `python kedro_commands.py`.

Reads a JSON list of commands (lists of arguments) from standard input, runs each through Kedro's
own command line, and writes a JSON list with the exit code and the output of each.
"""

import contextlib
import io
import json
import shutil
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("conf", "src", "notebooks", "pyproject.toml", ".telemetry")


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it printed."""

    code: int
    output: str


def copy_project(folder: Path) -> Path:
    """Copy what a run needs into a folder that holds no data."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


def run_commands(
    project: Path, commands: list[list[str]], environment: dict[str, str]
) -> list[Outcome]:
    """Run commands one after the other in the project's folder, as a newcomer would type them."""
    # where an earlier test's MLflow keeps its runs is not this project's store
    environment = {key: environment[key] for key in environment if key != "MLFLOW_TRACKING_URI"}
    done = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        cwd=project,
        env={**environment, "PYTHONPATH": str(project / "src"), "COLUMNS": "60"},
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return [Outcome(**outcome) for outcome in json.loads(done.stdout)]


def _run(arguments: list[str]) -> dict[str, object]:
    # Imported in the process of its own: Kedro reads the project of the folder that it is in.
    from kedro.framework.cli.cli import KedroCLI  # noqa: PLC0415

    terminal, code = io.StringIO(), 0
    with contextlib.redirect_stdout(terminal), contextlib.redirect_stderr(terminal):
        try:
            KedroCLI(Path.cwd()).main(args=arguments, prog_name="kedro")
        except SystemExit as end:
            code = int(end.code or 0)
        except Exception:
            code = 70
            traceback.print_exc()
    return {"code": code, "output": terminal.getvalue()}


if __name__ == "__main__":
    json.dump([_run(arguments) for arguments in json.load(sys.stdin)], sys.stdout)
