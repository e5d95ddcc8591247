"""What `pip install` of the package alone brings, without what is installed here besides."""

import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from portrait_pipeline.datasets.onnx_model import locked_requirements

ROOT = Path(__file__).resolve().parents[2]


def base_dependencies() -> list[str]:
    """Name the packages that pyproject.toml asks for without an extra."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [re.split(r"[>=~<]", need)[0] for need in settings["project"]["dependencies"]]


def run_with_base(code: str, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python code in a folder where nothing but the package and its base dependencies is."""
    site = folder / "site"
    if not site.exists():
        site.mkdir()
        _link_distributions(base_dependencies(), site)
    return subprocess.run(
        [sys.executable, "-S", "-c", code, *words],  # -S: nothing else that is installed
        cwd=folder,
        env={"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(site)])},
        capture_output=True,
        text=True,
        check=False,
    )


def _link_distributions(names: list[str], folder: Path) -> None:
    """Link what is installed of some packages, and of what they need, into a folder."""
    for line in locked_requirements(names):
        installed = metadata.distribution(line.partition("==")[0])
        for top in {file.parts[0] for file in installed.files or ()} - {"..", "__pycache__"}:
            if not (folder / top).exists():
                (folder / top).symlink_to(str(installed.locate_file(top)))
