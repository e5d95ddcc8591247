"""Haircuts and hair colours, and the shell of hair around the head."""

from dataclasses import dataclass

import numpy as np

from portrait_pipeline.sample.fields import Colour, blend_colour, colour, linear, smoothstep
from portrait_pipeline.sample.geometry import Shell, make_shell
from portrait_pipeline.sample.identity import Identity
from portrait_pipeline.sample.skull import skull_depth, skull_width

COLOURS = np.array(
    [
        linear(0.09, 0.08, 0.08),
        linear(0.16, 0.11, 0.09),
        linear(0.27, 0.18, 0.12),
        linear(0.40, 0.26, 0.16),
        linear(0.55, 0.38, 0.22),
        linear(0.74, 0.58, 0.36),
        linear(0.84, 0.72, 0.51),
    ],
    dtype=np.float32,
)
GREY = linear(0.68, 0.67, 0.66)


@dataclass(frozen=True)
class Cut:
    """A haircut; lengths in head units.

    Attributes:
        top: Height of the hair above the crown.
        side: Thickness of the hair at the temples.
        hang: Height down to which it hangs beside the face; below 0.3 the ears are free.
        line: Height of the hairline in the middle of the forehead.
        temple: How much higher (-) or lower (+) it is above the temples.
        curl: 0 straight, 0.5 wavy, 1 tight curls.
        sweep: How far strands lean over from the part.
        bun: Whether it is tied up on the crown.
        density: Below 1 the scalp shows through.
    """

    top: float
    side: float
    hang: float
    line: float
    temple: float = 0.0
    curl: float = 0.1
    sweep: float = 0.4
    bun: bool = False
    density: float = 1.0


MASCULINE_CUTS = (
    Cut(0.01, 0.01, 0.05, -0.60, -0.14, density=0.0),
    Cut(0.03, 0.02, 0.05, -0.56, -0.06, density=0.62),
    Cut(0.09, 0.04, 0.08, -0.58, -0.08, curl=0.2, sweep=0.2),
    Cut(0.13, 0.05, 0.10, -0.60, -0.02, sweep=0.9),
    Cut(0.20, 0.05, 0.06, -0.62, -0.04, curl=0.25, sweep=0.6),
    Cut(0.15, 0.11, 0.12, -0.52, 0.02, curl=1.0, sweep=0.1),
    Cut(0.12, 0.09, 0.18, -0.36, 0.10, curl=0.3, sweep=0.7),
    Cut(0.12, 0.12, 1.05, -0.58, 0.0, curl=0.5, sweep=0.5),
)
FEMININE_CUTS = (
    Cut(0.12, 0.10, 1.60, -0.60, -0.02, curl=0.1, sweep=0.7),
    Cut(0.14, 0.16, 1.55, -0.58, 0.02, curl=0.5, sweep=0.8),
    Cut(0.12, 0.13, 0.72, -0.58, 0.02, curl=0.12, sweep=0.9),
    Cut(0.12, 0.13, 0.80, -0.30, 0.06, curl=0.1, sweep=0.1),
    Cut(0.06, 0.03, 0.05, -0.58, -0.02, curl=0.08, sweep=0.3, bun=True),
    Cut(0.13, 0.08, 0.16, -0.48, 0.10, curl=0.3, sweep=1.0),
    Cut(0.26, 0.28, 0.70, -0.52, 0.03, curl=1.0, sweep=0.2),
    Cut(0.13, 0.14, 1.15, -0.55, 0.05, curl=0.65, sweep=0.6),
)


def choose_cut(person: Identity) -> Cut:
    """Return the cut that a person wears in every picture."""
    cuts = FEMININE_CUTS if person.feminine else MASCULINE_CUTS
    return cuts[min(int((0.5 + 0.5 * person.hair_cut) * len(cuts)), len(cuts) - 1)]


def hair_colour(person: Identity) -> Colour:
    """Mix the hair's colour: dark with dark skin, grey with age, red with warmth."""
    lightest = (len(COLOURS) - 1.001) * (1.0 if person.skin_tone < -0.1 else 0.38)
    place = (0.5 + 0.5 * person.hair_colour) * lightest
    mixed = blend_colour(COLOURS[int(place)], COLOURS[int(place) + 1], place - int(place))
    red = max(person.hair_warmth, 0.0) * (1.0 if person.skin_tone < -0.1 else 0.3)
    mixed = mixed * colour(1.0 + 0.45 * red, 1.0 - 0.12 * red, 1.0 - 0.4 * red)
    return blend_colour(mixed, GREY, float(smoothstep(0.45, 1.0, person.age)) * 0.85)


def make_hair_shell(person: Identity, cut: Cut) -> Shell:
    """Enclose the skull in the volume of a haircut; long hair hangs down beside the face."""
    volume = 1.0 + 0.3 * person.hair_volume
    top, side = cut.top * volume, cut.side * volume
    wide, deep = [(-1.02 - top, 0.0)], [(-1.02 - top, 0.0)]
    for y, value in skull_width(person)[1:]:
        if y <= 0.25:
            stands = side * float(smoothstep(-1.05, -0.5, y)) + 0.2 * top * float(
                smoothstep(-0.1, -0.6, y)
            )
            wide.append((y - top * float(smoothstep(-0.3, -0.95, y)), value + stands))
    for y, value in skull_depth(person)[1:]:
        if y <= 0.25:
            stands = 0.03 + 0.5 * top * float(smoothstep(-0.1, -0.5, y))
            deep.append((y - top * float(smoothstep(-0.3, -0.95, y)), value + stands))
    end, hanging = max(cut.hang, 0.3) + 0.08, wide[-1][1]
    if end > 0.65:
        hanging += side * (0.75 if cut.hang > 1.0 else 0.3)
        wide.append((0.6, hanging))
    wide += [(end, hanging), (end + 0.05, 0.0)]
    deep += [(end, deep[-1][1] - 0.12), (end + 0.05, 0.0)]
    return make_shell(wide, deep)
