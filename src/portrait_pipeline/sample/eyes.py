"""Eyes and brows."""

from dataclasses import dataclass

import numpy as np

from portrait_pipeline.sample.fields import (
    Colour,
    Picture,
    Plane,
    bump,
    colour,
    inside,
    linear,
    over,
    ridge,
    shade,
    smoothstep,
    strand_noise,
)
from portrait_pipeline.sample.identity import Identity
from portrait_pipeline.sample.sitter import LitFace, Sitter

SCLERA = linear(0.87, 0.83, 0.81)
LASH = colour(0.10, 0.06, 0.05)
IRISES = (
    linear(0.20, 0.11, 0.06),
    linear(0.32, 0.19, 0.09),
    linear(0.38, 0.33, 0.16),
    linear(0.30, 0.40, 0.30),
    linear(0.33, 0.47, 0.60),
    linear(0.42, 0.50, 0.55),
)
IRIS_RADIUS = 0.060


@dataclass(frozen=True)
class Slit:
    """The opening of one eye: u outwards and v down from its middle, and the lids' edges."""

    u: Plane
    v: Plane
    across: Plane
    upper: Plane
    lower: Plane
    side: float
    pixel: float


def iris_colour(person: Identity) -> Colour:
    """Choose an iris; light ones only with fair skin."""
    choices = len(IRISES) if person.skin_tone < -0.1 else 2
    return IRISES[min(int((0.5 + 0.5 * person.iris_colour) * choices), choices - 1)]


def draw_eye(face: LitFace, sitter: Sitter, side: float) -> None:
    """Draw the eye at `side` (-1 left, +1 right in the picture): ball, iris, lids, lashes."""
    at, half = sitter.at, sitter.at.eye_half_width
    part = face.part((side * at.eye_x, at.eye_y), (0.27, 0.2))
    slit = _open_lids(part, sitter, side)
    edge = np.minimum(slit.v - slit.upper, slit.lower - slit.v)
    opening = inside(np.minimum(edge, half - np.abs(slit.u)), 1.3 * slit.pixel)
    light = 0.62 * part.arriving + 0.38 * part.arriving.mean(axis=0)
    lid_shadow = 0.5 * smoothstep(0.035, 0.0, slit.v - slit.upper)
    ball = _eyeball(slit, sitter) * light * 1.12
    ball = shade(ball, lid_shadow + 0.28 * np.clip(slit.across**2, 0.0, 1.0))
    glint_u = side * (0.012 + 0.022 * float(sitter.lamps.key[0]))
    ball = ball + 0.75 * bump(slit.u, slit.v, (glint_u, -0.02), (0.011, 0.011))
    part.put(shade(over(part.picture, ball, opening), _lids(slit, sitter.person), LASH))


def _open_lids(part: LitFace, sitter: Sitter, side: float) -> Slit:
    at = sitter.at
    u, v = side * part.seen.x - at.eye_x, part.seen.y - at.eye_y
    u, v = u + v * at.eye_tilt, v + u * at.eye_tilt
    across = np.clip(u / at.eye_half_width, -1.6, 1.6)
    arch = 1.0 - across * across
    upper = -at.eye_opening * arch * (1.0 - 0.22 * across) - 0.006
    lower = 0.62 * at.eye_opening * arch * (1.0 + 0.2 * across) + 0.006
    return Slit(u, v, across, upper, lower, side, part.seen.pixel)


def _eyeball(slit: Slit, sitter: Sitter) -> Picture:
    gaze_u = 0.035 * sitter.face.gaze_x * slit.side
    gaze_v = 0.02 * sitter.face.gaze_y - 0.006
    right, down = slit.u - gaze_u, slit.v - gaze_v
    radius, angle = np.hypot(right, down), np.arctan2(down, right)
    fibres = 1.0 + 0.25 * strand_noise(sitter.person.details(), angle, 5.0)
    iris = iris_colour(sitter.person) * (fibres * (0.8 + 0.9 * smoothstep(0.01, 0.05, radius)))
    ring = 0.75 * smoothstep(IRIS_RADIUS - 0.016, IRIS_RADIUS, radius)
    pupil = inside(0.026 - radius, 1.2 * slit.pixel)
    iris = shade(shade(iris, ring), pupil)
    corner = bump(slit.u, slit.v, (-sitter.at.eye_half_width * 0.95, 0.01), (0.025, 0.02))
    white = SCLERA + (linear(0.85, 0.5, 0.45) - SCLERA) * (0.75 * corner)
    return over(white, iris, inside(IRIS_RADIUS - radius, 1.2 * slit.pixel))


def _lids(slit: Slit, person: Identity) -> Plane:
    """Darkness of lashes, lid crease and the lower lid's edge."""
    thin = max(0.013, 0.75 * slit.pixel)
    within = smoothstep(1.22, 0.95, np.abs(slit.across))
    strength, made_up = (0.95, 1.2) if person.feminine else (0.78, 1.0)
    weight = thin * made_up * (1.15 + 0.45 * np.clip(slit.across, -1.0, 1.2))
    top = strength * np.exp(-(((slit.v - slit.upper + 0.3 * thin) / weight) ** 2)) * within
    bottom = 0.36 * ridge(slit.v - slit.lower, 0.9 * thin) * within
    fold = slit.upper - 0.036 - 0.014 * person.lid_fold
    crease = ridge(slit.v - fold, 1.05 * thin) * smoothstep(1.3, 0.7, np.abs(slit.across))
    lower = bottom * smoothstep(-1.1, 0.6, slit.across)
    return np.clip(top + lower + (0.42 + 0.15 * person.lid_fold) * crease, 0.0, 0.97)


def draw_brow(face: LitFace, sitter: Sitter, side: float) -> None:
    """Draw one brow: hairs along an arch, thick inside, thin outside."""
    at, person = sitter.at, sitter.person
    part = face.part((side * at.eye_x, at.brow_y), (0.3, 0.16))
    u, y = side * part.seen.x - at.eye_x, part.seen.y
    along = (u + 0.19) / 0.40
    bow = (0.05 + 0.03 * person.brow_arch) * (np.clip(along, -0.3, 1.4) - 0.62) ** 2 * 3.0
    middle = at.brow_y - 0.06 * person.brow_slope * (along - 0.5) + bow - 0.02
    thick = (0.036 + 0.016 * person.brow_thickness) * (1.0 - 0.55 * np.clip(along, 0.0, 1.0))
    hairs = strand_noise(person.details(), u + 0.6 * (y - middle), 55.0)
    mask = inside(thick - np.abs(y - middle) + 0.010 * hairs, 0.026 + part.seen.pixel)
    mask = mask * smoothstep(-0.06, 0.12, along) * smoothstep(1.04, 0.8, along)
    part.put(over(part.picture, sitter.hair * part.arriving * 0.8, 0.85 * mask))
