"""Below and beside the face: ears, neck, clothes of today and of old, glasses."""

import numpy as np

from portrait_pipeline.sample.capture import Capture
from portrait_pipeline.sample.fields import (
    Colour,
    Picture,
    Plane,
    cloud,
    inside,
    linear,
    over,
    ridge,
    shade,
    smoothstep,
    strand_noise,
)
from portrait_pipeline.sample.geometry import Surface, head_axes
from portrait_pipeline.sample.identity import Identity
from portrait_pipeline.sample.lighting import (
    MATT_WRAP,
    SKIN_WRAP,
    LightOnHead,
    diffuse,
    facing_camera,
)
from portrait_pipeline.sample.skin import SkinColours
from portrait_pipeline.sample.skull import Layout

CLOTHS = (
    linear(0.15, 0.17, 0.22),
    linear(0.20, 0.30, 0.45),
    linear(0.55, 0.20, 0.20),
    linear(0.85, 0.84, 0.82),
    linear(0.30, 0.38, 0.30),
    linear(0.62, 0.58, 0.50),
    linear(0.42, 0.30, 0.45),
    linear(0.75, 0.55, 0.30),
    linear(0.35, 0.55, 0.60),
    linear(0.10, 0.10, 0.11),
)
PERIOD_CLOTHS = (
    linear(0.10, 0.08, 0.07),
    linear(0.16, 0.11, 0.08),
    linear(0.30, 0.09, 0.08),
    linear(0.12, 0.15, 0.14),
    linear(0.20, 0.17, 0.10),
)
LINEN = linear(0.90, 0.88, 0.82)


def draw_ears(
    picture: Picture,
    person: Identity,
    capture: Capture,
    tones: SkinColours,
    lamps: LightOnHead,
) -> tuple[Picture, Plane]:
    """Draw both ears; returns the picture and what they cover."""
    size = len(picture)
    x, y = head_axes(capture.pose, size)
    pixel = 2.0 / (size * capture.pose.scale)
    covered = np.zeros_like(x)
    for side in (-1.0, 1.0):
        centre = capture.pose.place((side * (0.70 + 0.06 * person.head_width), 0.16, -0.05))
        turned = 1.0 + 1.2 * side * capture.pose.yaw * -1.0
        wide = (0.10 + 0.02 * person.ears) * float(np.clip(turned, 0.35, 1.35))
        tall = 0.20 + 0.03 * person.ears
        u = side * (x - centre[0]) / wide - 0.25 * (centre[1] - y)
        v = (y - centre[1]) / tall
        radius = np.hypot(u * (1.0 + 0.12 * np.clip(v, -1.0, 1.0)), v)
        mask = inside((1.0 - radius) * wide, 1.4 * pixel)
        fold = ridge(radius - 0.66, 0.16) * smoothstep(-0.6, 0.2, u - 0.4 * v)
        hollow = np.exp(-((u + 0.2) ** 2 + (v - 0.05) ** 2) / 0.12)
        normal = np.stack((side * u * 0.7, v * 0.5, np.ones_like(u)), axis=-1)
        light = diffuse(
            normal / np.linalg.norm(normal, axis=-1, keepdims=True), lamps, 0.15, SKIN_WRAP
        )
        ear = shade(tones.flushed * light * 1.02, 0.4 * fold + 0.55 * hollow, tones.dark)
        picture = over(picture, ear, mask)
        covered = np.maximum(covered, mask)
    return picture, covered


class Torso:
    """The upright axes of neck and shoulders under a head: u across, v below the chin."""

    def __init__(self, person: Identity, capture: Capture, size_px: int) -> None:
        pose = capture.pose
        line = (np.arange(size_px, dtype=np.float32) + 0.5) * 2.0 / size_px - 1.0
        base_x, base_y = pose.place((0.0, 0.7, -0.15))
        lean = np.cos(pose.roll) * base_x - np.sin(pose.roll) * base_y
        drop = np.cos(pose.roll) * base_y + np.sin(pose.roll) * base_x
        self.v = np.broadcast_to(
            ((line[:, None] - pose.centre_y) / pose.scale - drop).astype(np.float32),
            (size_px, size_px),
        )
        straight = lean * np.clip(1.0 - 0.5 * self.v, 0.0, 1.0)
        self.u = ((line[None, :] - pose.centre_x) / pose.scale - straight).astype(np.float32)
        self.pixel = 2.0 / (size_px * pose.scale)
        self.neck = 0.40 + 0.05 * person.neck_width + 0.02 * person.fullness
        self.slope = 0.30 if person.feminine else 0.24
        self.lamps = facing_camera(capture.light)


def draw_neck(picture: Picture, torso: Torso, tones: SkinColours) -> tuple[Picture, Plane]:
    """Draw the neck as a cylinder that widens into the shoulders."""
    u, v = torso.u, torso.v
    half = (
        torso.neck
        + 0.05 * np.clip(1.0 - 2.0 * v, 0.0, 1.0)
        + 0.5 * np.clip(v - 0.42, 0.0, 1.0) ** 1.3 * 2.4
    )
    mask = inside(half - np.abs(u), 1.5 * torso.pixel) * (v > -0.4)
    across = np.clip(u / half, -0.98, 0.98)
    normal = np.stack((across, np.full_like(u, 0.12), np.sqrt(1.0 - across * across)), axis=-1)
    light = diffuse(normal, torso.lamps, 0.0, SKIN_WRAP)
    chin = smoothstep(0.62, 0.16, v + 0.10 * u * u)
    side = float(torso.lamps.key[0])
    tendon = ridge(np.abs(u) - 0.22 + 0.22 * v, 0.05) * smoothstep(0.1, 0.5, v)
    hollow = ridge(np.hypot(u, v - 0.68) - 0.02, 0.08)
    skin = shade(tones.base * light, 0.16 * tendon * (u * side < 0.0) + 0.25 * hollow, tones.dark)
    skin = shade(skin, 0.62 * chin, tones.dark * 0.8)
    return over(picture, skin, mask), mask


def draw_clothes(
    picture: Picture, torso: Torso, person: Identity, rng: np.random.Generator
) -> tuple[Picture, Plane]:
    """Draw the clothes of a photo: round or V neck, shirt and jacket, or roll neck."""
    cloth = CLOTHS[int(rng.integers(len(CLOTHS)))] * np.float32(rng.uniform(0.8, 1.15))
    second = CLOTHS[int(rng.integers(len(CLOTHS)))]
    kind = int(rng.integers(4))
    shoulder = _shoulder_line(torso)
    depth = (0.60, 0.98, 0.62, 0.30)[kind] + (0.06 if person.feminine else 0.0)
    width = (0.50, 0.46, 0.42, 0.46)[kind]
    opening = _opening(torso, depth, width, pointed=kind in (1, 2))
    body = inside(np.minimum(torso.v - shoulder, -opening), 1.6 * torso.pixel)
    if kind == 3:
        roll = inside(np.minimum(torso.neck + 0.045 - np.abs(torso.u), torso.v - 0.34), 0.03)
        body = np.maximum(body, roll)
    picture = over(picture, _cloth(torso, cloth, rng), body)
    hem = ridge(opening + 0.035, 0.035) * body
    picture = shade(picture, 0.3 * hem)
    if kind == 2:
        lapel = inside(np.abs(torso.u) - 0.10 - 0.42 * np.clip(1.5 - torso.v, 0.0, 2.0), 0.02)
        picture = over(picture, _cloth(torso, second * 0.6, rng), body * lapel)
        picture = shade(
            picture,
            0.45 * body * ridge(np.abs(torso.u) - 0.10 - 0.42 * np.clip(1.5 - torso.v, 0, 2), 0.03),
        )
    return picture, body


def draw_period_clothes(
    picture: Picture, torso: Torso, person: Identity, rng: np.random.Generator
) -> tuple[Picture, Plane]:
    """Draw the clothes of a painting: ruff, falling collar, cravat or low gown on dark cloth."""
    cloth = PERIOD_CLOTHS[int(rng.integers(len(PERIOD_CLOTHS)))] * np.float32(rng.uniform(0.8, 1.3))
    kind = int(rng.choice((0, 1, 3) if person.feminine else (0, 1, 2)))
    opening = _opening(
        torso, 0.95 if kind == 3 else 0.62, 0.75 if kind == 3 else 0.5, pointed=False
    )
    body = inside(np.minimum(torso.v - _shoulder_line(torso), -opening), 1.6 * torso.pixel)
    picture = over(picture, _cloth(torso, cloth, rng), body)
    linen, mask = (_ruff, _falling_collar, _cravat, _gown_edge)[kind](torso)
    light = diffuse(_folded_normal(torso, linen), torso.lamps, 0.0, MATT_WRAP)
    white = LINEN * light * (0.62 + 0.38 * linen)[..., None]
    return over(picture, white, mask), np.where(mask > 0.5, 0.0, body)


def _ruff(torso: Torso) -> tuple[Plane, Plane]:
    u, v = torso.u, (torso.v - 0.46) * 2.1
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    pleats = 0.5 + 0.5 * np.cos(angle * 34.0 + 0.8 * np.cos(angle * 17.0))
    reach = 0.92 + 0.02 * pleats
    mask = inside(np.minimum(reach - radius, radius - 0.40), 0.03) * smoothstep(0.12, 0.3, torso.v)
    return pleats * smoothstep(0.35, 0.8, radius), mask


def _falling_collar(torso: Torso) -> tuple[Plane, Plane]:
    u, v = torso.u, torso.v
    lace = 0.03 * np.cos(u * 30.0)
    reach = 0.98 + lace - 0.30 * np.abs(u)
    gap = np.abs(u) - 0.18 * np.clip(v - 0.55, 0.0, 1.0)
    top = 0.42 + 0.15 * np.clip(0.42 - np.abs(u), 0.0, 1.0)
    mask = inside(
        np.minimum(np.minimum(reach - v, v - top), np.minimum(0.85 - np.abs(u), gap)), 0.03
    )
    return 0.75 + 0.25 * np.cos(u * 11.0) * smoothstep(0.4, 0.9, v), mask


def _cravat(torso: Torso) -> tuple[Plane, Plane]:
    u, v = torso.u, torso.v
    band = np.minimum(torso.neck + 0.03 - np.abs(u), np.minimum(v - 0.30, 0.62 - v + 0.1 * u * u))
    fall = np.minimum(
        0.10 + 0.16 * np.clip(v - 0.5, 0.0, 1.0) - np.abs(u), np.minimum(v - 0.5, 1.4 - v)
    )
    folds = 0.6 + 0.4 * np.cos(v * 22.0 * (v < 0.6) + u * 34.0 * (v >= 0.6))
    return folds, inside(np.maximum(band, fall), 0.03)


def _gown_edge(torso: Torso) -> tuple[Plane, Plane]:
    opening = _opening(torso, 0.95, 0.75, pointed=False)
    frill = 0.5 + 0.5 * np.cos(torso.u * 28.0)
    return frill, inside(0.05 + 0.02 * frill - np.abs(opening + 0.05), 0.03) * (torso.v > 0.5)


def _shoulder_line(torso: Torso) -> Plane:
    away = np.clip(np.abs(torso.u) - 0.36, 0.0, 3.0)
    round_off = np.clip(np.abs(torso.u) - 1.15, 0.0, 3.0)
    return 0.42 + torso.slope * away + 1.2 * round_off**2


def _opening(torso: Torso, depth: float, width: float, *, pointed: bool) -> Plane:
    """Signed distance into the neck opening of a garment, positive where skin shows."""
    u, v = np.abs(torso.u) / width, (torso.v - 0.25) / (depth - 0.25)
    shape = 1.0 - u - np.maximum(v, 0.0) if pointed else 1.0 - np.hypot(u, np.maximum(v, 0.0))
    return np.asarray(shape * width * (0.75 if pointed else 1.0), dtype=np.float32)


def _folded_normal(torso: Torso, folds: Plane) -> Picture:
    tilt = np.gradient(folds, axis=1) * 1.2
    normal = np.stack(
        (tilt + torso.u * 0.5, np.full_like(tilt, -0.35), np.ones_like(tilt)), axis=-1
    )
    return normal / np.linalg.norm(normal, axis=-1, keepdims=True)


def _cloth(torso: Torso, colour: Colour, rng: np.random.Generator) -> Picture:
    """Cloth with folds that hang from the shoulders, lit from the key lamp."""
    size = len(torso.u)
    away = np.arcsinh(2.5 * torso.u) / 2.0 + 0.25 * cloud(rng, size, (4, 4))
    folds = strand_noise(rng, away - 0.25 * torso.v, 3.2)
    normal = _folded_normal(torso, folds * 2.5)
    light = diffuse(normal, torso.lamps, 0.0, MATT_WRAP)
    near_neck = smoothstep(0.55, 0.1, torso.v - 0.3 - 0.2 * np.abs(torso.u))
    weave = 1.0 + 0.08 * folds + 0.05 * cloud(rng, size, (60, 60))
    return shade(colour * light * weave[..., None], 0.35 * near_neck)


def draw_glasses(
    picture: Picture, person: Identity, at: Layout, seen: Surface, lamps: LightOnHead
) -> Picture:
    """Draw the frames, bridge and temples of those who wear glasses, with a glint."""
    if person.glasses < 0.72:
        return picture
    round_frame = person.glasses > 0.87
    ahead = np.abs(seen.x)
    wide, tall = (0.205, 0.185) if round_frame else (0.225, 0.15)
    u, v = (ahead - at.eye_x - 0.01) / wide, (seen.y - at.eye_y - 0.02) / tall
    power = 2.0 if round_frame else 3.6
    radius = (np.abs(u) ** power + np.abs(v) ** power + 1e-6) ** (1.0 / power)
    thin = max(0.022, 0.8 * seen.pixel)
    rim = ridge((radius - 1.0) * tall, thin)
    bridge = ridge(seen.y - at.eye_y + 0.03 + 0.25 * seen.x**2, thin) * (ahead < at.eye_x - wide)
    arm = ridge(seen.y - at.eye_y + 0.03, thin) * (ahead > at.eye_x + wide)
    frame = np.clip(np.maximum(np.maximum(rim, bridge), arm), 0.0, 1.0)
    colour = linear(0.10, 0.08, 0.07) if person.hair_warmth < 0.4 else linear(0.35, 0.22, 0.10)
    slant = ridge(u * np.sign(seen.x) + 0.8 * v - float(lamps.key[0]), 0.16)
    glint = slant * smoothstep(1.0, 0.9, radius) * 0.10
    shadow = ridge((radius - 1.0) * tall - 0.03, 0.03) * 0.22
    picture = shade(picture, shadow) + glint[..., None]
    return over(picture, colour * (0.4 + 0.6 * lamps.light.key_colour), 0.92 * frame)
