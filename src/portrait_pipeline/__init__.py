"""Turns photographs of people into painted portraits that keep the person recognisable."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from portrait_pipeline.process_environment import report_nothing

if TYPE_CHECKING:
    from portrait_pipeline.portrayal.pretrained import Portrayer

__all__ = ["Portrayer", "__version__"]
__version__ = "0.1.0"

# PyTorch's threads wait by spinning, and starve each other where another program keeps a core busy:
# finding the faces of 24 portraits took 40 s instead of 0.9 s. Read when PyTorch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "0")

report_nothing()


def __getattr__(name: str) -> Any:
    """Load the class that paints when it is asked for, and not with every module below."""
    if name == "Portrayer":
        return import_module("portrait_pipeline.portrayal.pretrained").Portrayer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
