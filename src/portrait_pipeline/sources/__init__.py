"""Sources of pictures: each of them returns a table of files."""

from portrait_pipeline.sources.fetch import check_source, fetch_pictures

__all__ = ["check_source", "fetch_pictures"]
