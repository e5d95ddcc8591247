"""Hair: cuts as shells around the skull, strands, highlights; beards on a shell of their own."""

from dataclasses import dataclass

import numpy as np

from portrait_pipeline.sample.capture import Pose
from portrait_pipeline.sample.fields import (
    Colour,
    Picture,
    Plane,
    blend_colour,
    bump,
    cloud,
    inside,
    linear,
    smoothstep,
    strand_noise,
)
from portrait_pipeline.sample.geometry import Shell, Surface, make_shell, project
from portrait_pipeline.sample.identity import Identity
from portrait_pipeline.sample.lighting import MATT_WRAP, LightOnHead, diffuse
from portrait_pipeline.sample.skull import Layout, skull_depth, skull_width

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
    """A way to wear hair, lengths in head units.

    Attributes:
        top: How far the hair stands off the crown.
        side: How far it stands off the temples.
        hang: Height to which it hangs beside the face; below 0.3 the ears are free.
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
    mixed = mixed * np.array([1.0 + 0.45 * red, 1.0 - 0.12 * red, 1.0 - 0.4 * red], np.float32)
    return blend_colour(mixed, GREY, float(smoothstep(0.45, 1.0, person.age)) * 0.85)


def make_hair_shell(person: Identity, cut: Cut) -> Shell:
    """Wrap the skull in the volume of a cut."""
    top = cut.top * (1.0 + 0.3 * person.hair_volume)
    side = cut.side * (1.0 + 0.3 * person.hair_volume)
    wide, deep = [(-1.02 - top, 0.0)], [(-1.02 - top, 0.0)]
    for y, value in skull_width(person)[1:]:
        if y <= 0.25:
            raised = y - top * float(smoothstep(-0.3, -0.9, y))
            wide.append((raised, value + side + 0.25 * top * float(smoothstep(-0.2, -0.6, y))))
    for y, value in skull_depth(person)[1:]:
        if y <= 0.25:
            raised = y - top * float(smoothstep(-0.3, -0.9, y))
            deep.append((raised, value + 0.03 + 0.5 * top * float(smoothstep(-0.1, -0.5, y))))
    end = max(cut.hang, 0.3) + 0.08
    flare = 0.75 * side * (1.0 if cut.hang > 1.0 else 0.4)
    hanging = wide[-1][1]
    wide += (
        [(0.6, hanging + flare), (end, hanging + flare), (end + 0.05, 0.0)]
        if end > 0.65
        else [
            (end, hanging),
            (end + 0.05, 0.0),
        ]
    )
    deep += [(end, deep[-1][1] - 0.12), (end + 0.05, 0.0)]
    return make_shell(wide, deep)


@dataclass(frozen=True)
class Hair:
    """Hair seen by the camera: its colour with light, the part behind and the part in front."""

    colour: Picture
    behind: Plane
    front: Plane
    shadow: Plane


def draw_hair(person: Identity, pose: Pose, lamps: LightOnHead, size_px: int) -> Hair:
    """Draw a person's hair."""
    cut = choose_cut(person)
    rng = person.details()
    seen = project(make_hair_shell(person, cut), None, pose, size_px)
    strand, fine = _strands(person, cut, seen, rng)
    edge = inside(seen.edge + (0.012 + 0.03 * cut.curl) * fine - 0.01, 0.02 + seen.pixel)
    behind = edge * smoothstep(cut.hang + 0.1, cut.hang - 0.02, seen.y + 0.06 * strand)
    line = _hairline(person, cut, seen)
    reach = line - seen.y + 0.035 * strand + 0.02 * fine
    front = behind * inside(reach, 0.035 + 2.0 * seen.pixel) * (np.cos(seen.theta) > -0.3)
    shadow = smoothstep(-0.16, 0.02, reach) * min(1.0, 3.0 * cut.top) * cut.density
    colour = _light_hair(person, seen, lamps, (strand, fine))
    density = np.float32(cut.density)
    if cut.bun:
        behind = np.maximum(behind, _bun(seen, pose, size_px))
    return Hair(colour, behind * density, front * density, shadow)


def _bun(seen: Surface, pose: Pose, size_px: int) -> Plane:
    """The mask of a bun on the crown."""
    line = (np.arange(size_px, dtype=np.float32) + 0.5) * 2.0 / size_px - 1.0
    centre = pose.place((0.0, -1.08, -0.25))
    cosine, sine = np.cos(pose.roll), np.sin(pose.roll)
    across = (line[None, :] - pose.centre_x) / pose.scale
    down = (line[:, None] - pose.centre_y) / pose.scale
    u = cosine * across + sine * down - centre[0]
    v = cosine * down - sine * across - centre[1]
    return inside(0.27 - np.hypot(u, 1.2 * v), 0.02 + seen.pixel).astype(np.float32)


def _hairline(person: Identity, cut: Cut, seen: Surface) -> Plane:
    """Height of the hairline at each longitude: forehead, temples, then down to the ear."""
    turn = np.abs(seen.theta)
    middle = cut.line - 0.05 * person.hairline - 0.06 * max(person.age, 0.0)
    temple = cut.temple - 0.05 * max(person.age, 0.0) * (0.0 if person.feminine else 1.0)
    line = middle + temple * smoothstep(0.2, 0.6, turn)
    lean = 0.12 * cut.sweep * np.sin(seen.theta - 0.8 * person.hair_part)
    line = line + np.where(cut.sweep > 0.5, np.abs(lean) * 1.2, 0.3 * lean)
    inner, outer = (0.78, 1.12) if cut.hang > 0.3 else (0.85, 1.25)
    down = cut.hang + 0.15
    return line + (down - line) * smoothstep(inner, outer, turn)


def _strands(
    person: Identity, cut: Cut, seen: Surface, rng: np.random.Generator
) -> tuple[Plane, Plane]:
    """Noise of locks and of single strands, both in about [-1, 1], along the combing."""
    size = len(seen.x)
    curl = float(np.clip(cut.curl + 0.25 * person.hair_curl, 0.0, 1.0))
    bend = cloud(rng, size, (7, 7)) * (0.06 + 0.12 * curl)
    part = 0.8 * person.hair_part
    lean = cut.sweep * 0.5 * np.tanh(3.0 * (seen.theta - part)) * smoothstep(-0.2, -1.0, seen.y)
    along = seen.theta - lean + bend
    if curl > 0.35:
        along = along + 0.09 * curl * np.sin(9.0 * seen.y + 3.0 * cloud(rng, size, (4, 4)))
    lock = strand_noise(rng, along, 6.0) * 0.6 + strand_noise(rng, along, 14.0) * 0.5
    fine = strand_noise(rng, along + 0.4 * bend, 34.0)
    tight = float(smoothstep(0.7, 1.0, curl))
    if tight > 0.0:
        knots = cloud(rng, size, (22, 22)) * 0.7 + cloud(rng, size, (40, 40)) * 0.6
        lock = lock * (1.0 - tight) + knots * tight
        fine = fine * (1.0 - tight) + cloud(rng, size, (56, 56)) * tight
    return lock, fine


def _light_hair(
    person: Identity, seen: Surface, lamps: LightOnHead, noise: tuple[Plane, Plane]
) -> Picture:
    """Diffuse light plus a Kajiya-Kay band, √(1 - (t·h)²)^n, broken up by the strands."""
    lock, fine = noise
    colour = hair_colour(person)
    sine, cosine = np.sin(seen.theta), np.cos(seen.theta)
    fall = np.clip(seen.y + 0.15, -1.0, 0.6)
    tangent = np.stack((0.45 * sine * -fall, np.ones_like(fall), cosine * -fall * 0.9), axis=-1)
    tangent = tangent / np.linalg.norm(tangent, axis=-1, keepdims=True)
    half = lamps.key + lamps.viewer
    half = half / np.linalg.norm(half)
    band = np.maximum(1.0 - (tangent @ half) ** 2, 0.0) ** 14
    facing = np.clip(seen.normal @ lamps.key + 0.3, 0.0, 1.0)
    arriving = diffuse(seen.normal, lamps, 0.0, MATT_WRAP)
    body = 0.72 + 0.42 * lock + 0.24 * fine
    rim = smoothstep(0.0, 0.22, seen.edge)
    shine = band * facing * np.clip(0.45 + 0.5 * lock + 0.4 * fine, 0.0, 1.2)
    glow = (0.5 * colour + 0.035) * 0.9
    lit = colour * arriving * (np.clip(body, 0.1, 1.5) * (0.62 + 0.38 * rim))[..., None]
    return np.asarray(lit + glow * shine[..., None] * lamps.light.key_colour, dtype=np.float32)


def beard_mask(person: Identity, at: Layout, seen: Surface) -> Plane:
    """Where a beard grows and how densely, in [0, 1]; zero for those who have none."""
    if person.feminine or person.beard < -0.35:
        return np.zeros_like(seen.x)
    ahead = np.abs(seen.x)
    jaw = smoothstep(0.0, 0.16, seen.y - (at.mouth_y - 0.10) + 0.9 * (0.56 - ahead) * (ahead > 0.3))
    cheek_line = at.nose_y + 0.16 - 0.75 * np.clip(ahead - 0.30, 0.0, 0.4)
    jaw = smoothstep(-0.04, 0.08, seen.y - cheek_line)
    moustache = bump(ahead, seen.y, (0.10, at.mouth_y - 0.075), (0.13, 0.035))
    lips = bump(seen.x, seen.y, (0.0, at.mouth_y + 0.02), (at.mouth_half_width * 0.6, 0.05))
    goatee = bump(seen.x, seen.y, (0.0, at.chin_y - 0.1), (0.17, 0.12))
    if person.beard < 0.2:
        grown = 0.38 * np.maximum(jaw, moustache)
    elif person.beard < 0.4:
        grown = np.minimum(1.25 * moustache, 0.92)
    elif person.beard < 0.6:
        grown = np.clip(1.2 * np.maximum(moustache, goatee), 0.0, 0.9)
    else:
        grown = 0.94 * np.maximum(jaw, np.minimum(1.3 * moustache, 1.0))
    return grown * (1.0 - np.clip(1.15 * lips, 0.0, 1.0))


def draw_beard(
    picture: Picture, person: Identity, at: Layout, seen: Surface, arriving: Picture
) -> Picture:
    """Draw a beard as short strands over the lit skin."""
    mask = beard_mask(person, at, seen)
    if not mask.any():
        return picture
    rng = person.details()
    fine = strand_noise(rng, seen.x * 1.6 + 0.5 * seen.y * np.sign(seen.x), 26.0)
    clump = cloud(rng, len(seen.x), (26, 26))
    colour = hair_colour(person) * 0.9
    lit = colour * arriving * np.clip(0.85 + 0.5 * fine + 0.3 * clump, 0.1, 2.0)[..., None]
    cover = np.clip(mask * (1.0 + 0.28 * fine + 0.2 * clump), 0.0, 0.97)
    return picture + (lit - picture) * cover[..., None]
