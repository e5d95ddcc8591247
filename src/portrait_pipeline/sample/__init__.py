"""The embedded sample: drawn faces of people who are nobody, and paintings of others."""

from portrait_pipeline.sample.draw import SamplePhoto, draw_painting, draw_photo

__all__ = ["SamplePhoto", "draw_painting", "draw_photo"]
