"""Ears and glasses."""

import numpy as np

from portrait_pipeline.sample.capture import Pose
from portrait_pipeline.sample.fields import (
    bump,
    inside,
    linear,
    over,
    ridge,
    shade,
    smoothstep,
    unit,
)
from portrait_pipeline.sample.figure import Figure
from portrait_pipeline.sample.geometry import head_axes, window_around
from portrait_pipeline.sample.lighting import SKIN_WRAP, diffuse
from portrait_pipeline.sample.sitter import LitFace, Sitter


def draw_ears(figure: Figure, sitter: Sitter, pose: Pose) -> None:
    """Draw both ears; the far one narrows as the head turns."""
    size = len(figure.cover)
    window = window_around(pose, size, 1.0, 0.2, 0.5)
    x, y = head_axes(pose, size, window)
    pixel = 2.0 / (size * pose.scale)
    person, tones = sitter.person, sitter.tones
    for side in (-1.0, 1.0):
        middle_x, middle_y = pose.place((side * (0.69 + 0.06 * person.head_width), 0.16, -0.05))
        wide = (0.10 + 0.02 * person.ears) * min(max(1.0 - 1.2 * side * pose.yaw, 0.35), 1.35)
        u = side * (x - middle_x) / wide + 0.25 * (y - middle_y)
        v = (y - middle_y) / (0.20 + 0.03 * person.ears)
        radius = np.hypot(u * (1.0 + 0.12 * np.clip(v, -1.0, 1.0)), v)
        fold = ridge(radius - 0.66, 0.16) * smoothstep(-0.6, 0.2, u - 0.4 * v)
        hollow = bump(u, v, (-0.2, 0.05), (0.25, 0.25))
        facing = unit(0.7 * side * u, 0.5 * v, np.ones_like(u))
        light = diffuse(facing, sitter.lamps, 0.15, SKIN_WRAP)
        ear = shade(tones.flushed * light * 1.02, 0.4 * fold + 0.55 * hollow, tones.dark)
        figure.lay(window, "skin", ear, inside((1.0 - radius) * wide, 1.4 * pixel))


def draw_glasses(face: LitFace, sitter: Sitter) -> None:
    """Draw the frames, bridge and temples of those who wear glasses, with a glint."""
    person, at = sitter.person, sitter.at
    if person.glasses < 0.74:
        return
    round_frame = person.glasses > 0.87
    part = face.part((0.0, at.eye_y), (0.9, 0.34))
    x, y, ahead = part.seen.x, part.seen.y, np.abs(part.seen.x)
    wide, tall = (0.205, 0.185) if round_frame else (0.225, 0.15)
    u, v = np.abs(ahead - at.eye_x - 0.01) / wide, np.abs(y - at.eye_y - 0.02) / tall
    radius = np.hypot(u, v) if round_frame else np.sqrt(np.sqrt(u**4 + v**4 + 1e-6))
    thin = max(0.022, 0.8 * part.seen.pixel)
    rim = ridge((radius - 1.0) * tall, thin)
    bridge = ridge(y - at.eye_y + 0.03 + 0.25 * x * x, thin) * (ahead < at.eye_x - wide)
    arm = ridge(y - at.eye_y + 0.03, thin) * (ahead > at.eye_x + wide)
    frame = 0.92 * np.maximum(np.maximum(rim, bridge), arm)
    tint = linear(0.10, 0.08, 0.07) if person.hair_warmth < 0.4 else linear(0.35, 0.22, 0.10)
    slant = ridge((x - np.sign(x) * at.eye_x) / wide + (y - at.eye_y) / tall, 0.22)
    glint = 0.07 * slant * smoothstep(1.0, 0.9, radius)
    shadow = 0.22 * ridge((radius - 1.0) * tall - 0.03, 0.03)
    picture = shade(part.picture, shadow) + glint
    part.put(over(picture, tint * (0.4 + 0.6 * sitter.lamps.light.key_colour), frame))
