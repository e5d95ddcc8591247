"""Sources of pictures: each of them returns a table of files."""

from portrait_pipeline.sources.fetch import fetch_pictures

__all__ = ["fetch_pictures"]
