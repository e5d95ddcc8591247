"""Skin: its colour from an identity, with blushes, freckles and lines, and the light on it."""

from dataclasses import dataclass

import numpy as np

from portrait_pipeline.sample.capture import Expression
from portrait_pipeline.sample.fields import (
    Colour,
    Picture,
    Plane,
    blend_colour,
    bump,
    colour,
    dot,
    grain,
    linear,
    over,
    ridge,
    shade,
    smoothstep,
)
from portrait_pipeline.sample.geometry import Relief, Shell, Surface, read_grid
from portrait_pipeline.sample.identity import Identity
from portrait_pipeline.sample.lighting import (
    SKIN_WRAP,
    LightOnHead,
    cast_shadow,
    diffuse,
    highlight,
)
from portrait_pipeline.sample.skull import Layout

TONES = np.array(
    [
        linear(0.95, 0.80, 0.71),
        linear(0.90, 0.72, 0.60),
        linear(0.83, 0.63, 0.49),
        linear(0.71, 0.50, 0.37),
        linear(0.56, 0.38, 0.27),
        linear(0.42, 0.27, 0.19),
    ],
    dtype=np.float32,
)


@dataclass(frozen=True)
class SkinColours:
    """The colours of one person's skin in linear RGB."""

    base: Colour
    flushed: Colour
    lip: Colour
    dark: Colour


def skin_colours(person: Identity) -> SkinColours:
    """Mix the skin of a person from tone (fair to dark) and warmth (rosy to golden)."""
    place = (0.5 + 0.5 * person.skin_tone) ** 1.25 * (len(TONES) - 1.001)
    base = blend_colour(TONES[int(place)], TONES[int(place) + 1], place - int(place))
    warmth = 0.06 * person.skin_warmth
    base = base * colour(1.0, 1.0 + 0.5 * warmth, 1.0 - warmth)
    flushed = base * colour(1.04, 0.72, 0.70)
    made_up = linear(0.62, 0.16, 0.20) if person.feminine else linear(0.62, 0.36, 0.32)
    strength = min(max(0.25 + 0.35 * person.lip_colour, 0.05), 0.6)
    lip = base * colour(0.86, 0.48, 0.47)
    return SkinColours(
        base=base,
        flushed=flushed,
        lip=blend_colour(lip, made_up * (0.45 + 0.8 * float(base[0, 0, 0])), strength),
        dark=base * colour(0.30, 0.17, 0.14),
    )


def colour_skin(person: Identity, at: Layout, seen: Surface, face: Expression) -> Picture:
    """Paint the unlit skin of the head: tone, cheeks, nose, freckles, lines, socket shade."""
    tones = skin_colours(person)
    x, y, ahead = seen.x, seen.y, np.abs(seen.x)
    skin = np.broadcast_to(tones.base, (3, *x.shape))
    blush = bump(ahead, y, (0.40, at.eye_y + 0.27), (0.13, 0.1)) * (0.35 + 0.25 * person.blush)
    nose = bump(x, y, (0.0, at.nose_y - 0.06), (0.12, 0.09)) * 0.35
    around = bump(ahead, y, (at.eye_x, at.eye_y - 0.02), (0.15, 0.085)) * 0.34
    skin = over(skin, tones.flushed, np.clip(blush + nose + around, 0.0, 1.0))
    skin = shade(skin, 0.3 * around, tones.flushed)
    skin = shade(skin, _lines(person, at, seen, face), tones.dark)
    rng = person.details()
    blotches = grain(rng, x, y, 6.0) * 0.035
    return _freckle(person, at, seen, rng, skin) * (1.0 + blotches)


def _freckle(
    person: Identity, at: Layout, seen: Surface, rng: np.random.Generator, skin: Picture
) -> Picture:
    """Scatter freckles over nose and cheeks of fair people who have them."""
    if person.freckles < 0.55 or person.skin_tone > 0.0:
        return skin
    spots = np.zeros_like(seen.x)
    for cx, cy in rng.normal((0.0, 0.2), (0.3, 0.09), (36, 2)):
        radius = rng.uniform(0.009, 0.016)
        spots = np.maximum(spots, bump(seen.x, seen.y, (cx, at.eye_y + cy), (radius, radius)))
    return shade(skin, spots * 0.3, colour(0.75, 0.5, 0.35))


def _lines(person: Identity, at: Layout, seen: Surface, face: Expression) -> Plane:
    """Draw the lines of age and expression: forehead, frown, crow's feet, mouth folds, bags."""
    x, y, ahead = seen.x, seen.y, np.abs(seen.x)
    age, smile = max(person.age, 0.0) ** 1.5, max(face.smile, 0.0)
    thin = max(0.014, 0.6 * seen.pixel)
    forehead = np.zeros_like(x)
    for row in (0.12, 0.2, 0.29):
        wave = at.brow_y - row + 0.02 * np.cos(5.0 * x + 9.0 * row)
        forehead = forehead + ridge(y - wave, thin) * smoothstep(0.42, 0.2, ahead)
    start_x, end_x = at.nose_half_width + 0.03, at.mouth_half_width + 0.055
    t = (y - at.nose_y + 0.05) / (at.mouth_y + 0.05 - at.nose_y)
    fold = ridge(ahead - start_x - (end_x - start_x) * t, 1.6 * thin)
    fold = fold * smoothstep(-0.15, 0.1, t) * smoothstep(1.1, 0.75, t)
    under = y - at.eye_y - 0.085 - 0.12 * (ahead - at.eye_x) ** 2 / at.eye_half_width
    bag = ridge(under, 1.8 * thin) * smoothstep(0.16, 0.06, np.abs(ahead - at.eye_x))
    corner = (ahead - at.eye_x) / at.eye_half_width
    feet = np.abs(np.sin(24.0 * (y - at.eye_y - 0.1 * (corner - 1.2)))) ** 6
    feet = feet * smoothstep(1.1, 1.3, corner) * smoothstep(1.75, 1.4, corner)
    feet = feet * smoothstep(0.11, 0.03, np.abs(y - at.eye_y))
    lines = (0.34 * age * (1.0 + 0.5 * face.brow_lift)) * forehead
    lines = lines + (0.1 + 0.2 * age + 0.24 * smile) * fold
    lines = lines + (0.1 + 0.25 * age + 0.1 * smile) * bag + 0.3 * age * (0.4 + smile) * feet
    return np.clip(lines, 0.0, 0.7)


def light_skin(
    skin: Picture, seen: Surface, form: tuple[Shell, Relief], lamps: LightOnHead
) -> tuple[Picture, Surface, Picture, Plane]:
    """Light the skin.

    Returns:
        The lit skin, its surface, the light that arrives there, and the gloss.
    """
    shadow_grid, occlusion_grid = cast_shadow(*form, lamps)
    shadow = read_grid(shadow_grid, seen.x, seen.y)
    occluded = read_grid(occlusion_grid, seen.x, seen.y)
    arriving = diffuse(seen.normal, lamps, 0.6 * shadow, SKIN_WRAP)
    arriving = arriving * (1.0 - occluded * colour(0.65, 0.9, 1.0))
    gloss = highlight(seen.normal, lamps, 22.0) * (1.0 - shadow) * (1.0 - occluded)
    rim = np.clip(1.0 - dot(seen.normal, lamps.viewer), 0.0, 1.0) ** 3
    lit = skin * arriving * (1.0 - 0.25 * rim)
    shine = 0.10 * gloss * lamps.light.key_colour
    return lit + shine, seen, arriving, gloss
