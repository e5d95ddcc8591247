"""The list of packages for a machine that only trains."""

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
IMPORT_WITH_NOTHING_ELSE = """
import importlib.metadata, re, sys
from importlib.machinery import PathFinder

present, listed = set(sys.argv[1].split(",")), importlib.metadata.packages_distributions()
finders = list(sys.meta_path)

class Present:
    find_distributions = staticmethod(PathFinder.find_distributions)

    def find_spec(self, name, path=None, target=None):
        owners = {re.sub(r"[-_.]+", "-", owner).lower() for owner in listed.get(name, ())}
        if owners and not owners & present:
            return None
        found = (finder.find_spec(name, path, target) for finder in finders)
        return next((spec for spec in found if spec is not None), None)

sys.meta_path[:] = [Present()]
import benchmarks.gpu
import portrait_pipeline.cyclegan.train
"""


def _run(*command: str) -> str:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _with_what_they_need(names: set[str]) -> set[str]:
    """Add what pip would install with these packages here, extras that are asked for included."""
    found: set[tuple[str, str]] = set()
    left = {(_plain(name), "") for name in names}
    while left:
        name, extra = left.pop()
        found.add((name, extra))
        try:
            texts = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # for another system or Python
        asked = [Requirement(text) for text in texts]
        needed = [r for r in asked if not r.marker or r.marker.evaluate({"extra": extra})]
        each = {(_plain(r.name), extra) for r in needed for extra in ("", *r.extras)}
        left |= each - found
    return {name for name, _ in found}


def test_it_names_all_that_a_training_imports_and_neither_kedro_nor_mlflow() -> None:
    """Law: pip can read each line, and with nothing else installed the modules import."""
    listed = {Requirement(line).name for line in _run("-m", "benchmarks.packages").splitlines()}
    assert {"torch", "lightning-fabric", "pydantic", "face-recognition-models"} <= listed
    present = _with_what_they_need(listed) | {"portrait-pipeline"}
    assert not [name for name in present if "kedro" in name or "mlflow" in name]
    _run("-c", IMPORT_WITH_NOTHING_ELSE, ",".join(sorted(present)))
