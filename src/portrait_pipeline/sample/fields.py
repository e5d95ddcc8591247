"""Drawing operations on planes of numbers: edges, bumps, noise and compositing.

A plane is float32 (height, width); a picture is float32 (3, height, width), linear RGB unless
stated otherwise. The colours are the first axis because planes then broadcast along rows, which is
several times faster. Masks lie in [0, 1].
"""

from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image
from scipy import ndimage

Plane = Float[np.ndarray, "height width"]
Picture = Float[np.ndarray, "3 height width"]
Colour = Float[np.ndarray, "3 1 1"]
Vector = Float[np.ndarray, "3"]
Window = tuple[slice, slice]

GAMMA = 2.0  # close to sRGB, and its inverse is a square root


def linear(red: float, green: float, blue: float) -> Colour:
    """Convert display RGB in [0, 1] to linear light, c ↦ c²."""
    return colour(red**GAMMA, green**GAMMA, blue**GAMMA)


def colour(red: float, green: float, blue: float) -> Colour:
    """Return three numbers, one per colour, in the shape that broadcasts over a picture."""
    return np.array([red, green, blue], dtype=np.float32).reshape(3, 1, 1)


def luminance(picture: Picture) -> Plane:
    """Weigh red, green and blue as the eye does: 0.3, 0.59, 0.11."""
    return 0.3 * picture[0] + 0.59 * picture[1] + 0.11 * picture[2]


def dot(field: Picture, direction: Vector) -> Plane:
    """Scalar product of a field of vectors with one direction."""
    x, y, z = (float(part) for part in direction)
    return field[0] * x + field[1] * y + field[2] * z


def unit(x: Plane, y: Plane, z: Plane) -> Picture:
    """Stack three planes into a field of unit vectors."""
    scale = 1.0 / np.sqrt(x * x + y * y + z * z + 1e-9)
    return np.stack((x * scale, y * scale, z * scale))


def to_display(light: Picture) -> Picture:
    """Convert linear light to display RGB in [0, 1] with a soft shoulder above 0.8."""
    shown = np.sqrt(np.maximum(light, 0.0))
    bright = np.maximum(shown - 0.8, 0.0)
    return np.minimum(shown, 0.8) + 0.2 * (1.0 - np.exp(-bright / 0.2))


def to_pixels(shown: Picture) -> UInt8[np.ndarray, "height width 3"]:
    """Round display RGB in [0, 1] to uint8, colours last; values outside are clipped."""
    rounded = np.clip(shown * 255.0 + 0.5, 0.0, 255.0).astype(np.uint8)
    return np.ascontiguousarray(rounded.transpose(1, 2, 0))


def blend_colour(dark: Colour, light: Colour, share: float) -> Colour:
    """Mix two colours: share 0 gives the first, 1 the second."""
    return np.asarray(dark + (light - dark) * np.float32(share), dtype=np.float32)


def smoothstep(low: float, high: float, value: Any) -> Any:
    """Rise smoothly from 0 at `low` to 1 at `high` (3t² - 2t³); falls when high < low."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def inside(distance: Plane, softness: float) -> Plane:
    """Turn a signed distance (positive inside) into an antialiased mask in [0, 1]."""
    return np.clip(0.5 + distance / softness, 0.0, 1.0)


def ridge(distance: Plane, width: float) -> Plane:
    """Return exp(-(d / width)²): 1 on the line d = 0, fading to both sides."""
    t = distance / width
    return np.exp(-(t * t))


def bump(x: Plane, y: Plane, centre: tuple[float, float], spread: tuple[float, float]) -> Plane:
    """Return an axis-aligned Gaussian hill of height 1."""
    tx = (x - centre[0]) / spread[0]
    ty = (y - centre[1]) / spread[1]
    return np.exp(-0.5 * (tx * tx + ty * ty))


def over(base: Picture, top: Picture | Colour, mask: Plane) -> Picture:
    """Lay a picture or colour over `base` where the mask is 1."""
    return base + (top - base) * mask


def shade(base: Picture, amount: Plane, tint: Colour | None = None) -> Picture:
    """Darken `base` by `amount` in [0, 1]; `tint` is the colour that full shade leaves, else 0."""
    if tint is None:
        return base * (1.0 - amount)
    return base * (1.0 - amount * (1.0 - tint))


def sample_plane(plane: Plane, row: Plane, column: Plane, order: int = 1) -> Plane:
    """Read a plane at fractional rows and columns; outside it the border value holds."""
    found = ndimage.map_coordinates(plane, [row, column], order=order, mode="nearest")
    return np.asarray(found, dtype=np.float32)


def cloud(rng: np.random.Generator, size_px: int, cells: int) -> Plane:
    """Draw smooth noise in about [-1, 1] over the frame with `cells` random knots a side."""
    knots = rng.uniform(-1.0, 1.0, (cells + 1, cells + 1)).astype(np.float32)
    grown = Image.fromarray(knots).resize((size_px, size_px), Image.Resampling.BICUBIC)
    return np.asarray(grown, dtype=np.float32)


def strand_noise(rng: np.random.Generator, coordinate: Plane, frequency: float) -> Plane:
    """Noise in [-1, 1] along one coordinate, `frequency` knots per unit: hair, folds, bristles."""
    knots = rng.uniform(-1.0, 1.0, 257).astype(np.float32)
    knots[-1] = knots[0]
    place = np.mod(coordinate * frequency + 128.0, 256.0)
    return _between(knots, place)


def grain(rng: np.random.Generator, u: Plane, v: Plane, frequency: float) -> Plane:
    """Noise in about [-1, 1] that is fixed to a surface: u, v in [-2, 2], knots per unit."""
    cells = max(int(4 * frequency), 2)
    texture = cloud(rng, 256, cells)
    return sample_plane(texture, (v + 2.0) * 63.75, (u + 2.0) * 63.75)


def _between(knots: Float[np.ndarray, "knots"], place: Plane) -> Plane:
    low = place.astype(np.int32)
    left = knots[low]
    return left + (knots[low + 1] - left) * (place - low)


def blur(plane: Plane | Picture, sigma: float) -> Any:
    """Gaussian blur over height and width; channels stay apart."""
    sigmas = (sigma, sigma) if plane.ndim == 2 else (0.0, sigma, sigma)
    return ndimage.gaussian_filter(plane, sigmas, mode="nearest", truncate=2.5)
