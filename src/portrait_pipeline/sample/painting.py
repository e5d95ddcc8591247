"""Paintings: palette, strokes, canvas, varnish and cracks over a figure on a dark ground."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from scipy import ndimage

from portrait_pipeline.sample.backdrop import draw_ground
from portrait_pipeline.sample.brush import Brush, lay_strokes, read_form
from portrait_pipeline.sample.fields import (
    Picture,
    Plane,
    blur,
    cloud,
    colour,
    luminance,
    over,
    smoothstep,
    to_display,
    to_pixels,
)
from portrait_pipeline.sample.figure import Figure

# Display RGB from shadow to light: ivory black, umbers and siennas, ochre, lead white.
PALETTES = np.array(
    [
        [(20, 14, 10), (80, 55, 36), (148, 107, 72), (208, 166, 122), (250, 231, 194)],
        [(18, 16, 12), (76, 57, 38), (142, 110, 74), (206, 168, 122), (248, 232, 194)],
        [(22, 14, 11), (86, 53, 39), (154, 105, 79), (212, 163, 130), (252, 230, 200)],
        [(17, 14, 13), (74, 57, 46), (138, 108, 84), (202, 166, 132), (246, 230, 200)],
    ],
    dtype=np.float32,
)


@dataclass(frozen=True)
class Style:
    """The painting style of one painting."""

    palette: Float[np.ndarray, "tones 3"]
    palette_share: float
    contrast: float
    yellowing: float
    weave: float
    cracks: float
    vignette: float


def draw_style(rng: np.random.Generator) -> Style:
    """Draw a style; painted twins and paintings share one distribution."""
    return Style(
        palette=PALETTES[int(rng.integers(len(PALETTES)))] / 255.0,
        palette_share=rng.uniform(0.55, 0.75),
        contrast=rng.uniform(1.05, 1.3),
        yellowing=rng.uniform(0.3, 1.0),
        weave=rng.uniform(0.5, 1.0),
        cracks=max(0.0, rng.uniform(-0.9, 1.0)),
        vignette=rng.uniform(0.25, 0.5),
    )


def paint(figure: Figure, rng: np.random.Generator) -> UInt8[np.ndarray, "size size 3"]:
    """Paint a figure: the same shapes in oil paint on canvas."""
    size = len(figure.cover)
    style = draw_style(rng)
    ground = draw_ground(rng, size)
    dark_cloth = _darken_cloth(figure)
    lit = over(ground, dark_cloth * _exposure(figure), figure.cover)
    scene = to_display(lit)
    toned = _to_palette(scene, style)
    painted, relief = _brush(toned, figure, rng)
    finished = _varnish(painted, relief, style, rng)
    return to_pixels(finished)


def _exposure(figure: Figure) -> np.float32:
    """Return the factor of light with which dark and fair faces alike stand out from the ground."""
    face = figure.face > 0.5
    light = float(np.percentile(luminance(figure.colour)[face], 70)) if face.any() else 0.3
    return np.float32(np.clip((0.52 / max(light, 0.02)) ** 0.62, 0.9, 2.6))


def _darken_cloth(figure: Figure) -> Picture:
    """Turn modern cloth into dark period cloth; folds stay."""
    light = luminance(figure.colour)
    muted = 0.22 * figure.colour + 0.10 * light * colour(1.1, 0.9, 0.7)
    dark = muted / (1.0 + 4.0 * light) + 0.004
    return over(figure.colour, dark.astype(np.float32), figure.cloth)


def _to_palette(scene: Picture, style: Style) -> Picture:
    """Pull display colours towards the palette's tone of the same lightness."""
    tone = luminance(scene)
    tone = np.clip(0.42 + (tone - 0.45) * style.contrast, 0.0, 1.0)
    steps = np.linspace(0.0, 1.0, len(style.palette))
    ramp = np.stack([np.interp(tone, steps, style.palette[:, c]) for c in range(3)])
    own = scene - luminance(scene)
    warm = colour(1.0, 0.95, 0.7)
    mixed = ramp + (1.0 - style.palette_share) * own * warm
    return np.clip(mixed, 0.0, 1.0).astype(np.float32)


def _brush(picture: Picture, figure: Figure, rng: np.random.Generator) -> tuple[Picture, Plane]:
    """Paint the picture with a broad brush, then with finer ones."""
    unit = picture.shape[1] / 160.0
    form = read_form(picture, rng)
    broad, middle = blur(picture, 1.8 * unit), blur(picture, 0.8 * unit)
    canvas = (broad, np.full(figure.cover.shape, 0.5, dtype=np.float32))
    layers = (
        (broad, Brush(5.0 * unit, 9.0 * unit, 3.4 * unit, 0.95, 0.0)),
        (middle, Brush(2.9 * unit, 5.2 * unit, 1.9 * unit, 0.9, 0.12)),
        (picture, Brush(1.5 * unit, 2.6 * unit, 1.05 * unit, 0.85, 0.45)),
    )
    for source, brush in layers:
        canvas = lay_strokes(canvas, source, form, brush, rng)
    painted, relief = canvas
    glaze = 0.5 * form.detail * figure.face
    return over(painted, picture, glaze), relief


def _varnish(painted: Picture, relief: Plane, style: Style, rng: np.random.Generator) -> Picture:
    """Light the relief of paint and weave, then add cracks, yellowed varnish and dark corners."""
    size = len(relief)
    line = np.linspace(-1.0, 1.0, size, dtype=np.float32)
    weave = _weave(size) * style.weave
    height = relief * 1.1 + 0.55 * weave
    gloss = np.gradient(height, axis=1) + np.gradient(height, axis=0)
    lit = painted * (1.0 + 0.12 * np.clip(gloss, -1.2, 1.2))
    lit = lit + 0.014 * np.clip(gloss, 0.0, 1.2)
    if style.cracks > 0.0:
        lit = lit * (1.0 - 0.3 * style.cracks * _cracks(size, rng))
    yellow = 1.0 - style.yellowing * colour(0.02, 0.06, 0.2)
    corner = (line[None, :] ** 2 + line[:, None] ** 2) / 2.0
    stain = 1.0 + 0.05 * cloud(rng, size, 5)
    return lit * yellow * (stain * (1.0 - style.vignette * corner * corner))


def _weave(size: int) -> Plane:
    """Draw a plain weave with about 42 threads across, in [-1, 1]."""
    threads = np.arange(size, dtype=np.float32) * np.float32(2.0 * np.pi * 42.0 / size)
    warp, weft = np.cos(threads)[None, :], np.cos(threads)[:, None]
    return np.asarray(0.5 * (warp + weft) + 0.5 * warp * weft, dtype=np.float32)


def _cracks(size: int, rng: np.random.Generator) -> Plane:
    """Draw craquelure: thin lines along the borders of Voronoi cells, patchy, in [0, 1]."""
    cells = 15
    centres = np.zeros((size, size), dtype=bool)
    step = size / cells
    rows, columns = np.mgrid[0:cells, 0:cells]
    shake = rng.uniform(0.0, 1.0, (2, cells, cells))
    centres[((rows + shake[0]) * step).astype(int), ((columns + shake[1]) * step).astype(int)] = (
        True
    )
    nearest = ndimage.distance_transform_edt(~centres, return_distances=False, return_indices=True)
    cell = nearest[0] * size + nearest[1]
    border = np.zeros((size, size), dtype=np.float32)
    border[:-1] = cell[:-1] != cell[1:]
    border[:, :-1] = np.maximum(border[:, :-1], cell[:, :-1] != cell[:, 1:])
    return border * smoothstep(-0.1, 0.7, cloud(rng, size, 6))
