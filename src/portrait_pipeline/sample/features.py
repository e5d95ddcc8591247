"""What is drawn on the face: eyes, brows, nostrils and mouth."""

import numpy as np

from portrait_pipeline.sample.capture import Expression
from portrait_pipeline.sample.fields import (
    Colour,
    Picture,
    Plane,
    bump,
    inside,
    linear,
    over,
    ridge,
    shade,
    smoothstep,
    strand_noise,
)
from portrait_pipeline.sample.geometry import Surface
from portrait_pipeline.sample.identity import Identity
from portrait_pipeline.sample.lighting import LightOnHead
from portrait_pipeline.sample.skin import SkinColours
from portrait_pipeline.sample.skull import Layout

SCLERA = linear(0.93, 0.90, 0.88)
TEETH = linear(0.93, 0.90, 0.84)
IRISES = (
    linear(0.20, 0.11, 0.06),
    linear(0.32, 0.19, 0.09),
    linear(0.38, 0.33, 0.16),
    linear(0.30, 0.40, 0.30),
    linear(0.33, 0.47, 0.60),
    linear(0.42, 0.50, 0.55),
)
IRIS_RADIUS = 0.060


def iris_colour(person: Identity) -> Colour:
    """Choose an iris; light ones only with fair skin."""
    choices = len(IRISES) if person.skin_tone < -0.1 else 2
    return IRISES[min(int((0.5 + 0.5 * person.iris_colour) * choices), choices - 1)]


def draw_eye(
    picture: Picture,
    side: float,
    seen: Surface,
    arriving: Picture,
    scene: tuple[Identity, Expression, Layout, LightOnHead],
) -> Picture:
    """Draw the eye at `side` (-1 left, +1 right of the picture): ball, iris, lids, lashes."""
    person, face, at, lamps = scene
    u, v = side * seen.x - at.eye_x, seen.y - at.eye_y
    u, v = u + v * at.eye_tilt, v + u * at.eye_tilt
    half, soft = at.eye_half_width, 1.3 * seen.pixel
    across = np.clip(u / half, -1.6, 1.6)
    arch = 1.0 - across * across
    upper = -at.eye_opening * arch * (1.0 - 0.22 * across) - 0.006
    lower = 0.62 * at.eye_opening * arch * (1.0 + 0.2 * across) + 0.006
    opening = inside(np.minimum(np.minimum(v - upper, lower - v), half - np.abs(u)), soft)
    ball = _eyeball(u, v, side, seen, (person, face, at, lamps))
    light = arriving * 0.62 + 0.38 * arriving.mean(axis=-1, keepdims=True)
    under_lid = 0.5 * smoothstep(0.035, 0.0, v - upper)
    ball = shade(ball * light * 1.12, under_lid + 0.28 * np.clip(across * across, 0.0, 1.0))
    glint = bump(u, v, (side * (0.02 * side + 0.022 * float(lamps.key[0])), -0.02), (0.011, 0.011))
    ball = ball + 0.75 * glint[..., None]
    picture = over(picture, ball, opening)
    lids = _lids(person, at, seen, (u, v, upper, lower, across))
    return shade(picture, lids, np.array([0.10, 0.06, 0.05], dtype=np.float32))


def _eyeball(
    u: Plane,
    v: Plane,
    side: float,
    seen: Surface,
    scene: tuple[Identity, Expression, Layout, LightOnHead],
) -> Picture:
    person, face, at, _ = scene
    gaze_u, gaze_v = 0.035 * face.gaze_x * side, 0.02 * face.gaze_y - 0.006
    radius = np.hypot(u - gaze_u, v - gaze_v)
    soft = 1.2 * seen.pixel
    angle = np.arctan2(v - gaze_v, u - gaze_u)
    fibres = 1.0 + 0.25 * strand_noise(person.details(), angle, 5.0)
    colour = iris_colour(person)
    iris = colour * (fibres * (0.8 + 0.9 * smoothstep(0.01, 0.05, radius)))[..., None]
    iris = shade(iris, 0.75 * smoothstep(IRIS_RADIUS - 0.016, IRIS_RADIUS, radius))
    iris = shade(iris, inside(0.026 - radius, soft))
    inner = bump(u, v, (-at.eye_half_width * 0.95, 0.01), (0.025, 0.02))
    white = over(np.broadcast_to(SCLERA, iris.shape), linear(0.85, 0.5, 0.45), 0.75 * inner)
    return over(white, iris, inside(IRIS_RADIUS - radius, soft))


def _lids(
    person: Identity,
    at: Layout,
    seen: Surface,
    lines: tuple[Plane, Plane, Plane, Plane, Plane],
) -> Plane:
    """Darkness of lashes, lid crease and the lower lid's edge."""
    _, v, upper, lower, across = lines
    thin = max(0.013, 0.75 * seen.pixel)
    within = smoothstep(1.22, 0.95, np.abs(across))
    lash = 0.95 if person.feminine else 0.78
    weight = thin * (1.15 + 0.45 * np.clip(across, -1.0, 1.2)) * (1.2 if person.feminine else 1.0)
    top = lash * np.exp(-(((v - upper + 0.3 * thin) / weight) ** 2)) * within
    bottom = 0.36 * ridge(v - lower, 0.9 * thin) * within * smoothstep(-1.1, 0.6, across)
    fold = upper - 0.036 - 0.014 * person.lid_fold
    crease = ridge(v - fold, 1.05 * thin) * smoothstep(1.3, 0.7, np.abs(across))
    return np.clip(top + bottom + (0.42 + 0.15 * person.lid_fold) * crease, 0.0, 0.97)


def draw_brow(
    picture: Picture, side: float, seen: Surface, hair: Colour, person: Identity, at: Layout
) -> Picture:
    """Draw one brow: hairs along an arch, thick inside, thin outside."""
    u = side * seen.x - at.eye_x
    along = (u + 0.19) / 0.40
    tilt = 0.10 * person.brow_slope
    arch = 0.05 + 0.03 * person.brow_arch
    middle = at.brow_y - tilt * (along - 0.5) * 0.6
    middle = middle + arch * (np.clip(along, -0.3, 1.4) - 0.62) ** 2 * 3.0 - 0.02
    thick = (0.036 + 0.016 * person.brow_thickness) * (1.0 - 0.55 * np.clip(along, 0.0, 1.0))
    hairs = strand_noise(person.details(), u + 0.6 * (seen.y - middle), 55.0)
    mask = inside(thick - np.abs(seen.y - middle) + 0.010 * hairs, 0.026 + seen.pixel)
    mask = mask * smoothstep(-0.06, 0.12, along) * smoothstep(1.04, 0.8, along)
    return over(picture, hair, np.clip(mask, 0.0, 1.0) * 0.85)


def draw_nostrils(
    picture: Picture, seen: Surface, at: Layout, tones: SkinColours, pitch: float
) -> Picture:
    """Draw nostrils and the crease of the wings; they open as the head tips back."""
    ahead = np.abs(seen.x)
    tall = 0.020 - 0.05 * min(pitch, 0.0)
    hole = bump(ahead, seen.y, (at.nose_half_width * 0.45, at.nose_y - 0.004), (0.032, tall))
    wing = ridge(
        np.hypot(ahead - at.nose_half_width * 0.72, seen.y - at.nose_y + 0.035) - 0.062, 0.016
    )
    outer = wing * smoothstep(0.0, 0.04, ahead - at.nose_half_width * 0.75)
    outer = outer * smoothstep(0.02, -0.02, seen.y - at.nose_y - 0.02)
    under = bump(seen.x, seen.y, (0.0, at.nose_y + 0.02), (at.nose_half_width * 0.75, 0.02))
    dark = np.clip(0.8 * hole + 0.2 * outer + 0.1 * under, 0.0, 0.9)
    return shade(picture, dark, tones.dark * 0.6)


def draw_mouth(
    picture: Picture,
    seen: Surface,
    arriving: Picture,
    gloss: Plane,
    scene: tuple[Identity, Expression, Layout, SkinColours],
) -> Picture:
    """Draw both lips, the line between them and, when open, teeth and the dark behind."""
    _, face, at, tones = scene
    across = seen.x / at.mouth_half_width
    square = np.clip(across * across, 0.0, 2.0)
    arch = np.clip(1.0 - square, 0.0, 1.0)
    rise = 0.075 * face.smile * square
    line = at.mouth_y - rise + 0.016 * face.smile
    gap = (0.012 + 0.085 * face.open_mouth + 0.02 * max(face.smile, 0.0)) * face.open_mouth
    top, bottom = line - 0.25 * gap * arch, line + gap * arch
    bow = (
        0.9
        - 0.22 * np.exp(-((across / 0.16) ** 2))
        + 0.16 * np.exp(-(((np.abs(across) - 0.3) / 0.2) ** 2))
    )
    lip_top = top - at.upper_lip * bow * arch**0.8
    lip_bottom = bottom + at.lower_lip * arch**0.75
    soft = 0.016 + 1.2 * seen.pixel
    upper = inside(np.minimum(seen.y - lip_top, line - seen.y + 0.01), soft) * (arch > 0.0)
    lower = inside(np.minimum(lip_bottom - seen.y, seen.y - line), soft) * (arch > 0.0)
    upper_lip = tones.lip * arriving * 0.74
    lower_lip = tones.lip * arriving * 1.05 + (0.22 * gloss * lower)[..., None]
    picture = over(picture, upper_lip, upper * 0.9)
    picture = over(picture, lower_lip, lower * 0.86)
    if gap > 0.012:
        picture = _open(picture, seen, arriving, (top, bottom, across, tones))
    thin = max(0.011, 0.7 * seen.pixel)
    seam = ridge(seen.y - (line if gap <= 0.012 else top), thin) * smoothstep(
        1.1, 0.9, np.abs(across)
    )
    corner = bump(np.abs(across), seen.y - line, (1.0, 0.0), (0.06, 0.018))
    return shade(picture, np.clip(0.75 * seam + 0.45 * corner, 0.0, 0.85), tones.dark * 0.5)


def _open(
    picture: Picture,
    seen: Surface,
    arriving: Picture,
    mouth: tuple[Plane, Plane, Plane, SkinColours],
) -> Picture:
    """Draw what an open mouth shows."""
    top, bottom, across, tones = mouth
    inner = inside(np.minimum(seen.y - top, bottom - seen.y), seen.pixel * 1.3)
    inner = inner * smoothstep(0.98, 0.86, np.abs(across))
    dark = np.broadcast_to(tones.dark * np.float32(0.12) + linear(0.12, 0.03, 0.03), picture.shape)
    edge = top + 0.055 - 0.03 * across * across
    teeth = inside(edge - seen.y, 0.012 + seen.pixel) * smoothstep(0.95, 0.6, np.abs(across))
    gaps = 1.0 - 0.16 * np.abs(np.cos(across * 13.0)) ** 12
    tooth = TEETH * arriving * (0.85 * gaps)[..., None]
    return over(picture, over(dark, tooth, teeth), inner)
