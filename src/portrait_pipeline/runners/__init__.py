"""Runners of Kedro pipelines: `RayRunner` spreads the nodes over a Ray cluster."""

from portrait_pipeline.runners.ray_runner import RayRunner

__all__ = ["RayRunner"]
