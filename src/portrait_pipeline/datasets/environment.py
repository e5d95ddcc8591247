"""A dataset that describes the environment of a run: versions, commit, machine."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from portrait_pipeline.datasets.mlflow_run import library_versions


def git_commit(folder: Path) -> str:
    """Return the commit of the working tree, marked where it has changes; "unknown" without git."""
    return _git(folder, "describe", "--always", "--dirty", "--abbrev=12") or "unknown"


def git_revision(folder: Path) -> str | None:
    """Return the whole hash of the commit of the working tree, None without git."""
    return _git(folder, "rev-parse", "HEAD")


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None


class EnvironmentDataset(AbstractDataset[None, dict[str, Any]]):
    """Loads as a dictionary: `created` (now), `versions`, `commit` and `machine`."""

    def __init__(self, *, project_path: str, metadata: dict[str, Any] | None = None) -> None:
        self._project_path = Path(project_path)
        self.metadata = metadata

    def load(self) -> dict[str, Any]:
        """Describe the present environment."""
        # imported here, so that hooks and commands load without PyTorch
        import torch  # noqa: PLC0415

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
        """Refuse to save: the environment can only be read."""
        raise TypeError("the environment is an input only")

    def _describe(self) -> dict[str, Any]:
        return {"project_path": str(self._project_path)}
