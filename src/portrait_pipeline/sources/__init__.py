"""Where pictures come from: each source ends as a table of files."""

from portrait_pipeline.sources.fetch import fetch_pictures

__all__ = ["fetch_pictures"]
