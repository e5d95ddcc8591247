"""Brush strokes: a picture repainted with oriented strokes, layer by layer, coarse to fine.

Each stroke takes its colour from the picture under its middle and its direction from the picture's
form (the eigenvector of the smoothed structure tensor along which colour changes least, as in
Haeberli's and Litwinowicz's painterly rendering). Later strokes cover earlier ones; bristles and
the ridges of paint at a stroke's sides leave a relief.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from portrait_pipeline.sample.fields import Picture, Plane, blur, cloud, luminance, smoothstep

Strokes = Float[np.ndarray, "strokes"]


@dataclass(frozen=True)
class Brush:
    """One layer of strokes; lengths in pixels.

    Attributes:
        spacing: Distance between neighbouring strokes.
        half_length: Half the length of a stroke.
        half_width: Half its width.
        opacity: How much of what was below it hides.
        needed_detail: Strokes stand only where the picture's detail (0 to 1) is at least this.
    """

    spacing: float
    half_length: float
    half_width: float
    opacity: float
    needed_detail: float


@dataclass(frozen=True)
class Form:
    """What guides the brush: the direction of the strokes in radians and the detail in [0, 1]."""

    direction: Plane
    detail: Plane


def read_form(picture: Picture, rng: np.random.Generator) -> Form:
    """Find direction and detail of a display-range picture; flat parts get a drifting direction."""
    size = picture.shape[1]
    unit = size / 160.0
    tone = blur(luminance(picture), 0.8 * unit)
    down, across = np.gradient(tone)
    energy_x, energy_y, energy_xy = (
        blur(plane, 2.2 * unit) for plane in (across * across, down * down, across * down)
    )
    drift = 2.2 * cloud(rng, size, 4) + rng.uniform(-1.0, 1.0)
    faint = np.float32(2e-5 / unit**2)
    double_cos = energy_y - energy_x + faint * np.cos(2.0 * drift)
    double_sin = -2.0 * energy_xy + faint * np.sin(2.0 * drift)
    detail = np.sqrt(energy_x + energy_y) * unit
    return Form(0.5 * np.arctan2(double_sin, double_cos), smoothstep(0.012, 0.06, detail))


def lay_strokes(
    canvas: tuple[Picture, Plane],
    picture: Picture,
    form: Form,
    brush: Brush,
    rng: np.random.Generator,
) -> tuple[Picture, Plane]:
    """Paint one layer over (colours, relief); returns the new pair."""
    painted, relief = canvas
    size = picture.shape[1]
    rows, columns = _scatter(form, brush, size, rng)
    if len(rows) == 0:
        return canvas
    row, column = rows.astype(np.int32), columns.astype(np.int32)
    shake = rng.normal(0.0, 0.12, len(rows))
    angle = (form.direction[row, column] + shake).astype(np.float32)
    pixels, stroke, along, across = _footprints((rows, columns, angle), brush, size)
    bristle = rng.uniform(-1.0, 1.0, (len(rows), 8)).astype(np.float32)
    height = _profile(bristle, stroke, along, across)
    value = 1.0 + rng.normal(0.0, 0.045, len(rows))
    colours = (picture[:, row, column] * value).astype(np.float32)
    owner = np.full(size * size, -1, dtype=np.int32)
    # strokes are in random order, and where an index repeats numpy keeps the last
    owner[pixels] = np.arange(len(pixels), dtype=np.int32)
    hit = np.flatnonzero(owner >= 0)
    chosen = owner[hit]
    flat, raised = painted.reshape(3, -1).copy(), relief.reshape(-1).copy()
    cover = brush.opacity * (0.82 + 0.18 * height[chosen])
    tone = 1.0 + 0.05 * (height[chosen] - 0.5)
    below = flat[:, hit]
    flat[:, hit] = below + (colours[:, stroke[chosen]] * tone - below) * cover
    raised[hit] = 0.25 * raised[hit] + 0.75 * height[chosen]
    return flat.reshape(painted.shape), raised.reshape(relief.shape)


def _scatter(
    form: Form, brush: Brush, size: int, rng: np.random.Generator
) -> tuple[Strokes, Strokes]:
    """Place strokes on a shaken grid, in random order, where the picture has enough detail."""
    count = int(np.ceil(size / brush.spacing))
    places = rng.permutation(count * count)
    shake = rng.uniform(0.0, 1.0, (2, count * count)).astype(np.float32)
    rows = np.minimum((places // count + shake[0]) * brush.spacing, size - 1.0)
    columns = np.minimum((places % count + shake[1]) * brush.spacing, size - 1.0)
    keep = form.detail[rows.astype(np.int32), columns.astype(np.int32)] >= brush.needed_detail
    return rows[keep].astype(np.float32), columns[keep].astype(np.float32)


def _footprints(
    strokes: tuple[Strokes, Strokes, Strokes], brush: Brush, size: int
) -> tuple[
    Int[np.ndarray, "touched"],
    Int[np.ndarray, "touched"],
    Float[np.ndarray, "touched"],
    Float[np.ndarray, "touched"],
]:
    """List the pixels under every stroke: pixel, stroke, and place along and across in [-1, 1]."""
    rows, columns, angle = strokes
    reach = int(np.ceil(brush.half_length))
    offset = np.arange(-reach, reach + 1, dtype=np.int32)
    row = rows.astype(np.int32)[:, None] + offset
    column = columns.astype(np.int32)[:, None] + offset
    down = (row - rows[:, None]).astype(np.float32) + np.float32(0.5)
    right = (column - columns[:, None]).astype(np.float32) + np.float32(0.5)
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    long, wide = np.float32(1.0 / brush.half_length), np.float32(1.0 / brush.half_width)
    along = (right * cosine * long)[:, None, :] + (down * sine * long)[:, :, None]
    across = (down * cosine * wide)[:, :, None] - (right * sine * wide)[:, None, :]
    under = (np.abs(along) < 1.0) & (np.abs(across) < 1.0 - 0.35 * along * along)
    under &= ((row >= 0) & (row < size))[:, :, None] & ((column >= 0) & (column < size))[:, None, :]
    stroke, i, j = np.nonzero(under)
    pixels = row[stroke, i] * size + column[stroke, j]
    return pixels, stroke, along[under], across[under]


def _profile(
    bristle: Float[np.ndarray, "strokes 8"],
    stroke: Int[np.ndarray, "touched"],
    along: Float[np.ndarray, "touched"],
    across: Float[np.ndarray, "touched"],
) -> Float[np.ndarray, "touched"]:
    """Height of paint in about [0, 1]: bristle furrows, a ridge at the sides, thin at the end."""
    place = np.clip((across + 1.0) * 3.5, 0.0, 6.999)
    low = place.astype(np.int32)
    share = place - low
    left, right = bristle[stroke, low], bristle[stroke, low + 1]
    furrow = left + (right - left) * share
    side = across**4
    return np.asarray(np.clip(0.5 + 0.3 * furrow + 0.3 * side - 0.2 * along, 0.0, 1.0))
