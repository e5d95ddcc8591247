"""Runners of Kedro pipelines: `RayRunner` spreads the nodes over a Ray cluster."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portrait_pipeline.runners.ray_runner import RayRunner

__all__ = ["RayRunner"]


def __getattr__(name: str) -> Any:
    """Load the runner when it is asked for, and not in the processes that keep its events."""
    if name == "RayRunner":
        return import_module("portrait_pipeline.runners.ray_runner").RayRunner
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
