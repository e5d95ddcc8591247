"""The shape of a head: its outline from an identity, and the relief of its features."""

from dataclasses import dataclass

import numpy as np

from portrait_pipeline.sample.capture import Expression
from portrait_pipeline.sample.fields import Plane, bump, ridge, smoothstep
from portrait_pipeline.sample.geometry import Profile, Relief, Shell, make_relief, make_shell
from portrait_pipeline.sample.geometry import grid_axes as _grid_axes
from portrait_pipeline.sample.identity import Identity


@dataclass(frozen=True)
class Layout:
    """Where the features lie, in head units (half the head's height; y down, eyes near 0)."""

    eye_x: float
    eye_y: float
    eye_half_width: float
    eye_opening: float
    eye_tilt: float
    brow_y: float
    nose_y: float
    nose_half_width: float
    mouth_y: float
    mouth_half_width: float
    upper_lip: float
    lower_lip: float
    chin_y: float


def lay_out(person: Identity, face: Expression) -> Layout:
    """Compute where a person's features lie under an expression."""
    eye_y = 0.02 + 0.045 * person.eye_height
    nose_y = eye_y + 0.40 + 0.06 * person.nose_length
    chin_y = 0.98 + 0.06 * person.chin_length
    mouth_y = nose_y + (chin_y - nose_y) * (0.35 + 0.045 * person.mouth_height)
    opening = 0.056 + 0.014 * person.eye_opening + 0.008 * person.eye_size
    return Layout(
        eye_x=0.29 + 0.035 * person.eye_spacing,
        eye_y=eye_y,
        eye_half_width=0.142 + 0.018 * person.eye_size,
        eye_opening=opening * (1.0 - 0.35 * face.squint),
        eye_tilt=0.10 * person.eye_tilt + 0.02,
        brow_y=eye_y - 0.185 - 0.04 * person.brow_height - 0.03 * face.brow_lift,
        nose_y=nose_y,
        nose_half_width=0.135 + 0.035 * person.nose_width + 0.012 * max(face.smile, 0.0),
        mouth_y=mouth_y,
        mouth_half_width=0.235 + 0.04 * person.mouth_width + 0.045 * face.smile,
        upper_lip=(0.048 + 0.022 * person.upper_lip) * (1.0 - 0.2 * max(face.smile, 0.0)),
        lower_lip=0.066 + 0.024 * person.lower_lip,
        chin_y=chin_y,
    )


def skull_width(person: Identity) -> Profile:
    """Half widths of the head from crown to chin."""
    base = 0.955 + 0.065 * person.head_width
    full = 0.035 * person.fullness
    jaw = 0.055 * person.jaw_width + full
    square = 0.05 * person.jaw_squareness
    chin = 0.95 + 0.06 * person.chin_length
    return [
        (-1.02, 0.0),
        (-0.97, 0.23 * base),
        (-0.85, 0.455 * base),
        (-0.6, 0.63 * base),
        (-0.3, 0.705 * base),
        (0.0, (0.70 + 0.01 * person.cheekbones) * base),
        (0.22, (0.665 + 0.03 * person.cheekbones + full) * base),
        (0.45, (0.585 + jaw) * base),
        (0.65, (0.48 + jaw + 0.6 * square) * base),
        (0.8, (0.375 + jaw + square + 0.03 * person.chin_width) * base),
        (chin - 0.05, (0.29 + 0.6 * jaw + square + 0.04 * person.chin_width) * base),
        (chin + 0.03, (0.19 + 0.05 * person.chin_width + 0.5 * square) * base),
        (chin + 0.07, 0.0),
    ]


def skull_depth(person: Identity) -> Profile:
    """Depths of the face's middle from crown to chin, without the features."""
    chin = 0.95 + 0.06 * person.chin_length
    return [
        (-1.02, 0.0),
        (-0.92, 0.42),
        (-0.75, 0.62),
        (-0.5, 0.75 + 0.03 * person.forehead),
        (-0.2, 0.80),
        (0.2, 0.80),
        (0.5, 0.79),
        (0.75, 0.74),
        (chin - 0.04, 0.66),
        (chin + 0.03, 0.52),
        (chin + 0.07, 0.0),
    ]


def make_skull(person: Identity) -> Shell:
    """Build the head without features."""
    return make_shell(skull_width(person), skull_depth(person))


def make_face_relief(person: Identity, face: Expression, at: Layout) -> Relief:
    """Draw nose, brows, sockets, cheeks, lips and chin as heights over the skull."""
    x, y = _grid_axes()
    height = _nose(person, at, x, y) + _brows_and_eyes(person, at, x, y)
    height = height + _mouth(face, at, x, y) + _cheeks(person, face, at, x, y)
    return make_relief(height.astype(np.float32))


def _nose(person: Identity, at: Layout, x: Plane, y: Plane) -> Plane:
    size = 1.0 + 0.22 * person.nose_size
    top, base = at.eye_y - 0.06, at.nose_y
    along = np.clip((y - top) / (base - top), 0.0, 1.0)
    hump = 0.035 * person.nose_bridge * np.sin(np.pi * np.clip(along * 1.25, 0, 1))
    profile = (0.05 + 0.17 * along**1.2) * size + hump
    width = 0.05 + 0.03 * along + 0.012 * person.nose_width
    end = smoothstep(base + 0.055, base - 0.075, y) * smoothstep(top - 0.16, top + 0.1, y)
    height = profile * end * np.exp(-0.5 * (x / width) ** 2)
    tip = 0.06 + 0.025 * person.nose_tip
    height = height + tip * size * bump(x, y, (0.0, base - 0.06), (0.066, 0.05))
    for side in (-1.0, 1.0):
        wing = (side * at.nose_half_width * 0.78, base - 0.03)
        height = height + 0.07 * size * bump(x, y, wing, (0.042, 0.042))
    return height


def _brows_and_eyes(person: Identity, at: Layout, x: Plane, y: Plane) -> Plane:
    ahead = np.abs(x)
    socket = bump(ahead, y, (at.eye_x - 0.03, at.eye_y - 0.02), (0.13, 0.075))
    ball = bump(ahead, y, (at.eye_x, at.eye_y + 0.005), (0.1, 0.06))
    brow = bump(ahead, y, (at.eye_x - 0.04, at.eye_y - 0.17), (0.17, 0.055))
    bag = bump(ahead, y, (at.eye_x, at.eye_y + 0.13), (0.1, 0.03))
    age = max(person.age, 0.0)
    return (
        -(0.1 + 0.02 * person.brow_depth) * socket
        + 0.062 * ball
        + (0.03 + 0.02 * person.brow_depth) * brow
        + 0.012 * age * bag
    )


def _mouth(face: Expression, at: Layout, x: Plane, y: Plane) -> Plane:
    wide = at.mouth_half_width
    bend = y + 0.09 * face.smile * (np.abs(x) / wide) ** 2 * wide
    mound = 0.05 * bump(x, y, (0.0, at.mouth_y), (0.2, 0.12))
    upper = 0.034 * bump(x, bend, (0.0, at.mouth_y - 0.03), (wide * 0.55, 0.024))
    lower = 0.05 * bump(x, bend, (0.0, at.mouth_y + 0.045), (wide * 0.5, 0.03))
    fold = -0.045 * bump(x, y, (0.0, at.mouth_y + 0.125), (0.15, 0.03))
    chin = 0.07 * bump(x, y, (0.0, at.chin_y - 0.12), (0.12, 0.075))
    philtrum = -0.014 * bump(x, y, (0.0, at.nose_y + 0.07), (0.022, 0.05))
    corners = -0.03 * bump(np.abs(x), bend, (wide, at.mouth_y), (0.035, 0.03))
    return mound + upper + lower + fold + chin + philtrum + corners


def _cheeks(person: Identity, face: Expression, at: Layout, x: Plane, y: Plane) -> Plane:
    ahead = np.abs(x)
    smile = max(face.smile, 0.0)
    bone = bump(ahead, y, (0.42, at.eye_y + 0.2 - 0.03 * smile), (0.13, 0.09))
    hollow = bump(ahead, y, (0.46, at.mouth_y - 0.08), (0.11, 0.13))
    start, end = (
        (at.nose_half_width + 0.02, at.nose_y - 0.04),
        (
            at.mouth_half_width + 0.05,
            at.mouth_y + 0.02,
        ),
    )
    t = np.clip((y - start[1]) / (end[1] - start[1]), -0.2, 1.2)
    line = start[0] + (end[0] - start[0]) * t
    crease = ridge(ahead - line, 0.025) * smoothstep(-0.2, 0.1, t) * smoothstep(1.2, 0.8, t)
    depth = 0.006 + 0.014 * smile + 0.014 * max(person.age, 0.0)
    lean = 0.5 - 0.5 * person.fullness
    puff = ridge(ahead - line - 0.08, 0.07) * smoothstep(-0.2, 0.2, t) * smoothstep(1.2, 0.6, t)
    return (
        (0.03 + 0.02 * person.cheekbones + 0.02 * smile) * bone
        - 0.04 * lean * hollow
        - depth * crease
        + (0.012 + 0.03 * smile) * puff
    )
