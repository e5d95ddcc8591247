"""Neck and shoulders, upright below a turned head, and the cloth on them."""

import math
from dataclasses import dataclass

import numpy as np

from portrait_pipeline.sample.capture import Capture
from portrait_pipeline.sample.fields import (
    Colour,
    Picture,
    Plane,
    Window,
    cloud,
    inside,
    ridge,
    shade,
    smoothstep,
    strand_noise,
    unit,
)
from portrait_pipeline.sample.figure import Figure
from portrait_pipeline.sample.identity import Identity
from portrait_pipeline.sample.lighting import (
    MATT_WRAP,
    SKIN_WRAP,
    LightOnHead,
    diffuse,
    facing_camera,
)
from portrait_pipeline.sample.skin import SkinColours


@dataclass(frozen=True)
class Torso:
    """The upright axes of a body: u across, v down from the jaw, in head units.

    Attributes:
        window: The rows below the ears, all columns.
        neck: Half the width of the neck.
        slope: How steeply the shoulders fall.
    """

    window: Window
    u: Plane
    v: Plane
    pixel: float
    neck: float
    slope: float
    lamps: LightOnHead


def place_torso(person: Identity, capture: Capture, size_px: int) -> Torso:
    """Place the body below the middle of the jaw."""
    pose = capture.pose
    base_x, base_y = pose.place((0.0, 0.7, -0.15))
    cosine, sine = math.cos(pose.roll), math.sin(pose.roll)
    lean, drop = cosine * base_x - sine * base_y, cosine * base_y + sine * base_x
    line = (np.arange(size_px, dtype=np.float32) + 0.5) * 2.0 / size_px - 1.0
    down = (line - pose.centre_y) / pose.scale - drop
    first = min(int(np.searchsorted(down, -0.35)), size_px - 1)
    v = np.ascontiguousarray(np.broadcast_to(down[first:, None], (size_px - first, size_px)))
    u = (line - pose.centre_x)[None, :] / pose.scale - lean * np.clip(1.0 - 0.5 * v, 0.0, 1.0)
    return Torso(
        window=(slice(first, size_px), slice(0, size_px)),
        u=u,
        v=v,
        pixel=2.0 / (size_px * pose.scale),
        neck=0.37 + 0.05 * person.neck_width + 0.02 * person.fullness,
        slope=0.30 if person.feminine else 0.24,
        lamps=facing_camera(capture.light),
    )


def draw_neck(figure: Figure, torso: Torso, tones: SkinColours) -> None:
    """Draw the neck: a cylinder that widens into the shoulders, shaded by the chin."""
    u, v = torso.u, torso.v
    spread = np.clip(v - 0.42, 0.0, 1.0)
    half = torso.neck + 0.05 * np.clip(1.0 - 2.0 * v, 0.0, 1.0) + 1.2 * spread * np.sqrt(spread)
    across = np.clip(u / half, -0.98, 0.98)
    normal = unit(across, np.full_like(u, 0.12), np.sqrt(1.0 - across * across))
    light = diffuse(normal, torso.lamps, 0.0, SKIN_WRAP)
    chin = smoothstep(0.62, 0.16, v + 0.10 * u * u)
    away = u * float(torso.lamps.key[0]) < 0.0
    tendon = ridge(np.abs(u) - 0.22 + 0.22 * v, 0.05) * smoothstep(0.1, 0.5, v) * away
    hollow = ridge(np.hypot(u, v - 0.68) - 0.02, 0.08)
    skin = shade(tones.base * light, 0.16 * tendon + 0.25 * hollow, tones.dark)
    skin = shade(skin, 0.62 * chin, tones.dark * 0.8)
    figure.lay(torso.window, "skin", skin, inside(half - np.abs(u), 1.5 * torso.pixel))


def shoulder_line(torso: Torso) -> Plane:
    """Return the height v of the shoulders at each pixel."""
    away = np.clip(np.abs(torso.u) - 0.36, 0.0, 3.0)
    fall = np.clip(np.abs(torso.u) - 1.15, 0.0, 3.0)
    return 0.42 + torso.slope * away + 1.2 * fall * fall


def neck_opening(torso: Torso, depth: float, width: float, *, pointed: bool) -> Plane:
    """Return the signed distance into a garment's neck opening, positive where skin shows."""
    u, v = np.abs(torso.u) / width, np.maximum((torso.v - 0.25) / (depth - 0.25), 0.0)
    if pointed:
        return (1.0 - u - v) * (0.75 * width)
    return (1.0 - np.hypot(u, v)) * width


def light_folds(torso: Torso, folds: Plane) -> Picture:
    """Compute the light on cloth that is raised by `folds`."""
    tilt = np.gradient(folds, axis=1) * 1.2
    normal = unit(tilt + 0.5 * torso.u, np.full_like(tilt, -0.35), np.ones_like(tilt))
    return diffuse(normal, torso.lamps, 0.0, MATT_WRAP)


def drape(torso: Torso, colour: Colour | Picture, rng: np.random.Generator) -> Picture:
    """Draw lit cloth with folds that hang from the shoulders, darker around the neck."""
    size = torso.u.shape[1]
    place = np.arcsinh(2.5 * torso.u) / 2.0 + 0.25 * cloud(rng, size, 4)[torso.window]
    folds = strand_noise(rng, place - 0.25 * torso.v, 3.2)
    light = light_folds(torso, 2.5 * folds)
    about_neck = smoothstep(0.55, 0.1, torso.v - 0.3 - 0.2 * np.abs(torso.u))
    weave = 1.0 + 0.08 * folds + 0.05 * cloud(rng, size, 60)[torso.window]
    return shade(colour * light * weave, 0.35 * about_neck)
