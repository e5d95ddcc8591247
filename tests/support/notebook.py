"""Runs a notebook of the project from top to bottom, headless."""

from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def run_notebook(name: str, project_folder: Path, timeout_s: int = 120) -> Any:
    """Run every cell in a kernel of its own, started in the folder of a Kedro project.

    The kernel inherits the environment of this process: set KEDRO_ENV to choose the results.

    Raises:
        CellExecutionError: from nbclient, if a cell fails.
    """
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=timeout_s,
        kernel_name="python3",
        resources={"metadata": {"path": str(project_folder)}},
    )
    return client.execute()
