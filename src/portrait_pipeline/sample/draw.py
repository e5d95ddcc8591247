"""The sample's pictures, each a function of its index and the seed alone."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from portrait_pipeline.sample.backdrop import draw_place
from portrait_pipeline.sample.capture import Capture, draw_capture
from portrait_pipeline.sample.fields import blur, over, to_display, to_pixels
from portrait_pipeline.sample.figure import Figure
from portrait_pipeline.sample.identity import Identity, draw_identity
from portrait_pipeline.sample.painting import paint
from portrait_pipeline.sample.person import draw_person

PHOTO_DOMAIN, PAINTING_DOMAIN = 1, 2


@dataclass(frozen=True)
class SamplePhoto:
    """A drawn photo, the painting of the same moment, and the traits of the person.

    Attributes:
        photo: uint8 (size, size, 3), RGB.
        painted_twin: The same face in the same place, painted; uint8 (size, size, 3), RGB.
        identity: The hidden traits, float32 in [-1, 1].
    """

    photo: UInt8[np.ndarray, "size size 3"]
    painted_twin: UInt8[np.ndarray, "size size 3"]
    identity: Float[np.ndarray, "traits"]


def draw_photo(index: int, seed: int, size_px: int) -> SamplePhoto:
    """Draw the photo with this index and its painted twin.

    The same index and seed give the same pixels, whatever else is drawn, in whatever order. The
    people of photos and of paintings are drawn separately: nobody is in both.

    Args:
        index: Which photo, from 0.
        seed: Seed of the whole sample, from 0.
        size_px: Edge length in pixels.
    """
    rng = np.random.default_rng([seed, PHOTO_DOMAIN, index])
    return picture_person(draw_identity(rng), draw_capture(rng), rng, size_px)


def picture_person(
    person: Identity, capture: Capture, rng: np.random.Generator, size_px: int
) -> SamplePhoto:
    """Photograph and paint one person in one pose, light and expression."""
    figure = draw_person(person, capture, rng, size_px, period=False)
    return SamplePhoto(
        photo=develop(figure, rng), painted_twin=paint(figure, rng), identity=person.vector
    )


def draw_painting(index: int, seed: int, size_px: int) -> UInt8[np.ndarray, "size size 3"]:
    """Draw the painting with this index: of another person, in period clothes.

    Args:
        index: Which painting, from 0.
        seed: Seed of the whole sample, from 0.
        size_px: Edge length in pixels.
    """
    rng = np.random.default_rng([seed, PAINTING_DOMAIN, index])
    person, capture = draw_identity(rng), draw_capture(rng)
    return paint(draw_person(person, capture, rng, size_px, period=True), rng)


def develop(figure: Figure, rng: np.random.Generator) -> UInt8[np.ndarray, "size size 3"]:
    """Turn a figure into a photo: add a blurred background, exposure and sensor noise."""
    size = len(figure.cover)
    place = draw_place(rng, size)
    light = over(place, figure.colour, figure.cover) * np.float32(rng.uniform(0.95, 1.25))
    shown = to_display(blur(light, 0.35 * size / 160.0))
    noise = rng.normal(0.0, rng.uniform(0.004, 0.014), (size, size)).astype(np.float32)
    return to_pixels(shown + noise)
