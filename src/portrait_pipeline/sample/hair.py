"""Hair on its shell: hairline, locks and strands, and the light that runs along them."""

from dataclasses import dataclass

import numpy as np

from portrait_pipeline.sample.capture import Pose
from portrait_pipeline.sample.cuts import Cut, choose_cut, hair_colour, make_hair_shell
from portrait_pipeline.sample.fields import (
    Picture,
    Plane,
    Window,
    dot,
    grain,
    inside,
    smoothstep,
    strand_noise,
    unit,
)
from portrait_pipeline.sample.geometry import Surface, head_axes, project, window_around
from portrait_pipeline.sample.identity import Identity
from portrait_pipeline.sample.lighting import MATT_WRAP, LightOnHead, diffuse


@dataclass(frozen=True)
class Hair:
    """Hair seen by the camera, in a window of the frame.

    Attributes:
        window: The rows and columns that the planes cover.
        colour: Lit hair, linear RGB.
        behind: Mask of all hair; what stands before the face is in `front`.
        front: Mask of the hair before face and ears.
        shadow: How much the hair shades the skin below its line.
    """

    window: Window
    colour: Picture
    behind: Plane
    front: Plane
    shadow: Plane


def draw_hair(person: Identity, pose: Pose, lamps: LightOnHead, size_px: int) -> Hair:
    """Draw a person's hair."""
    cut = choose_cut(person)
    rng = person.details()
    window = window_around(pose, size_px, 1.15, 1.45, cut.hang + 0.3)
    seen = project(make_hair_shell(person, cut), None, pose, size_px, window)
    strand, fine = _strands(person, cut, seen, rng)
    edge = inside(seen.edge + (0.012 + 0.03 * cut.curl) * fine - 0.01, 0.02 + seen.pixel)
    behind = edge * smoothstep(cut.hang + 0.1, cut.hang - 0.02, seen.y + 0.06 * strand)
    line = _hairline(person, cut, seen)
    reach = line - seen.y + 0.035 * strand + 0.02 * fine
    front = behind * inside(reach, 0.035 + 2.0 * seen.pixel) * (np.cos(seen.theta) > -0.3)
    shadow = smoothstep(-0.16, 0.02, reach) * min(1.0, 3.0 * cut.top) * cut.density
    lit = _light_hair(person, seen, lamps, (strand, fine))
    if cut.bun:
        behind = np.maximum(behind, _bun(pose, size_px, window))
    return Hair(window, lit, behind * cut.density, front * cut.density, shadow)


def _bun(pose: Pose, size_px: int, window: Window) -> Plane:
    """The mask of a bun on the crown."""
    x, y = head_axes(pose, size_px, window)
    centre = pose.place((0.0, -1.08, -0.25))
    pixel = 2.0 / (size_px * pose.scale)
    return inside(0.27 - np.hypot(x - centre[0], 1.2 * (y - centre[1])), 0.02 + pixel)


def _hairline(person: Identity, cut: Cut, seen: Surface) -> Plane:
    """Height of the hairline at each longitude: forehead, temples, then down to the ear."""
    turn = np.abs(seen.theta)
    middle = cut.line - 0.05 * person.hairline - 0.06 * max(person.age, 0.0)
    temple = cut.temple - 0.05 * max(person.age, 0.0) * (0.0 if person.feminine else 1.0)
    line = middle + temple * smoothstep(0.2, 0.6, turn)
    lean = 0.12 * cut.sweep * np.sin(seen.theta - 0.8 * person.hair_part)
    line = line + np.where(cut.sweep > 0.5, np.abs(lean) * 1.2, 0.3 * lean)
    inner, outer = (0.62, 1.2) if cut.hang > 0.3 else (0.7, 1.3)
    down = cut.hang + 0.15
    return line + (down - line) * smoothstep(inner, outer, turn)


def _strands(
    person: Identity, cut: Cut, seen: Surface, rng: np.random.Generator
) -> tuple[Plane, Plane]:
    """Noise of locks and of single strands, both in about [-1, 1], along the combing."""
    turn, down = seen.theta, seen.y
    curl = min(max(cut.curl + 0.25 * person.hair_curl, 0.0), 1.0)
    bend = grain(rng, turn, down, 1.3) * (0.02 + 0.12 * curl)
    lean = cut.sweep * 0.5 * np.tanh(3.0 * (turn - 0.8 * person.hair_part))
    along = turn - lean * smoothstep(-0.2, -1.0, down) + bend
    if curl > 0.35:
        along = along + 0.09 * curl * np.sin(9.0 * down + 3.0 * grain(rng, turn, down, 1.0))
    lock = strand_noise(rng, along, 6.0) * 0.6 + strand_noise(rng, along, 14.0) * 0.5
    fine = strand_noise(rng, along + 0.4 * bend, 34.0)
    tight = float(smoothstep(0.7, 1.0, curl))
    if tight > 0.0:
        rings = 0.9 - 3.2 * np.abs(grain(rng, turn + bend, down, 7.0))
        small = 0.8 - 3.0 * np.abs(grain(rng, turn, down + bend, 13.0))
        lock = lock * (1.0 - tight) + np.maximum(rings, -1.0) * (0.8 * tight)
        fine = fine * (1.0 - tight) + np.maximum(small, -1.0) * tight
    return lock, fine


def _light_hair(
    person: Identity, seen: Surface, lamps: LightOnHead, noise: tuple[Plane, Plane]
) -> Picture:
    """Diffuse light plus a Kajiya-Kay band, √(1 - (t·h)²)^n, broken up by the strands."""
    lock, fine = noise
    base = hair_colour(person)
    sine, cosine = np.sin(seen.theta), np.cos(seen.theta)
    fall = np.clip(seen.y + 0.15, -1.0, 0.6)
    tangent = unit(-0.45 * sine * fall, np.ones_like(fall), -0.9 * cosine * fall)
    half = lamps.key + lamps.viewer
    half = half / np.linalg.norm(half)
    band = np.maximum(1.0 - dot(tangent, half) ** 2, 0.0) ** 14
    facing = np.clip(dot(seen.normal, lamps.key) + 0.3, 0.0, 1.0)
    arriving = diffuse(seen.normal, lamps, 0.0, MATT_WRAP)
    body = 0.72 + 0.42 * lock + 0.24 * fine
    rim = smoothstep(0.0, 0.22, seen.edge)
    shine = band * facing * np.clip(0.45 + 0.5 * lock + 0.4 * fine, 0.0, 1.2)
    glow = (0.5 * base + 0.035) * 0.9
    lit = base * arriving * (np.clip(body, 0.1, 1.5) * (0.62 + 0.38 * rim))
    return np.asarray(lit + glow * shine * lamps.light.key_colour, dtype=np.float32)
