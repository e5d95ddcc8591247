"""A person without background, drawn layer by layer."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from portrait_pipeline.sample.fields import Colour, Picture, Plane, Window

Matter = Literal["skin", "hair", "cloth", "linen"]


@dataclass(frozen=True)
class Figure:
    """A person without background; layers are drawn into it in place.

    Attributes:
        colour: The lit person, linear RGB, meaningful where `cover` is not 0.
        cover: Where the person is, in [0, 1].
        cloth: Where coloured cloth shows, in [0, 1].
        face: Where the face shows, in [0, 1].
    """

    colour: Picture
    cover: Plane
    cloth: Plane
    face: Plane

    def lay(self, window: Window, matter: Matter, colour: Picture | Colour, mask: Plane) -> None:
        """Draw a layer over the present content, inside the window."""
        rows, columns = window
        below = self.colour[:, rows, columns]
        below += (colour - below) * mask
        self.cover[window] += (1.0 - self.cover[window]) * mask
        self.cloth[window] *= 1.0 - mask
        self.face[window] *= 1.0 - mask
        if matter == "cloth":
            self.cloth[window] += mask
        if matter == "skin":
            self.face[window] += mask


def empty_figure(size_px: int) -> Figure:
    """Return a figure without any layer."""
    planes = (np.zeros((size_px, size_px), dtype=np.float32) for _ in range(3))
    return Figure(np.zeros((3, size_px, size_px), dtype=np.float32), *planes)
