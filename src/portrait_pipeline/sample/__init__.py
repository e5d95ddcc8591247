"""The embedded sample: drawn photos of people who do not exist, and paintings of others."""

from portrait_pipeline.sample.draw import SamplePhoto, draw_painting, draw_photo

__all__ = ["SamplePhoto", "draw_painting", "draw_photo"]
