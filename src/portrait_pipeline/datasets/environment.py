"""Where and with what a result was made, as a dataset: versions, commit, machine."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from kedro.io import AbstractDataset

from portrait_pipeline.datasets.mlflow_run import library_versions


def git_commit(folder: Path) -> str:
    """Return the commit of the working tree, marked where it has changes; "unknown" without git."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        described = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()


class EnvironmentDataset(AbstractDataset[None, dict[str, Any]]):
    """Loads as a dictionary: `created` (now), `versions`, `commit` and `machine`."""

    def __init__(self, *, project_path: str, metadata: dict[str, Any] | None = None) -> None:
        self._project_path = Path(project_path)
        self.metadata = metadata

    def load(self) -> dict[str, Any]:
        """Describe the present environment."""
        accelerator = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
        return {
            "created": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            "versions": {"python": platform.python_version(), **library_versions()},
            "commit": git_commit(self._project_path),
            "machine": {
                "processors": os.cpu_count(),
                "accelerator": accelerator,
                "system": f"{platform.system()} {platform.machine()}",
            },
        }

    def save(self, data: None) -> None:
        """Refuse: the environment is what it is."""
        raise TypeError("the environment is an input only")

    def _describe(self) -> dict[str, Any]:
        return {"project_path": str(self._project_path)}
