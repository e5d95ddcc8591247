"""Values shared while a face is drawn: the person, and the face drawn so far."""

from dataclasses import dataclass

from portrait_pipeline.sample.capture import Expression
from portrait_pipeline.sample.fields import Colour, Picture, Plane
from portrait_pipeline.sample.geometry import Surface
from portrait_pipeline.sample.identity import Identity
from portrait_pipeline.sample.lighting import LightOnHead
from portrait_pipeline.sample.skin import SkinColours
from portrait_pipeline.sample.skull import Layout


@dataclass(frozen=True)
class Sitter:
    """A person in one picture: expression, layout of the features, colours and lamps."""

    person: Identity
    face: Expression
    at: Layout
    tones: SkinColours
    hair: Colour
    lamps: LightOnHead
    pitch: float


@dataclass(frozen=True)
class LitFace:
    """A lit face; its features are drawn into `picture`, in place.

    Attributes:
        picture: The face drawn so far, linear RGB.
        seen: The surface of the head at each pixel.
        arriving: Light that reaches each pixel, per colour.
        gloss: Highlight of the key lamp in [0, 1].
    """

    picture: Picture
    seen: Surface
    arriving: Picture
    gloss: Plane

    def part(self, centre: tuple[float, float], reach: tuple[float, float]) -> "LitFace":
        """Return the part within `reach` of a point of the head, sharing the same memory."""
        rows, columns = self.seen.around(centre, reach)
        return LitFace(
            self.picture[:, rows, columns],
            self.seen.crop((rows, columns)),
            self.arriving[:, rows, columns],
            self.gloss[rows, columns],
        )

    def put(self, drawn: Picture) -> None:
        """Replace the picture by `drawn`."""
        self.picture[...] = drawn
