"""Nostrils, lips and the inside of an open mouth."""

from dataclasses import dataclass

import numpy as np

from portrait_pipeline.sample.fields import (
    Picture,
    Plane,
    bump,
    inside,
    linear,
    over,
    ridge,
    shade,
    smoothstep,
)
from portrait_pipeline.sample.sitter import LitFace, Sitter

TEETH = linear(0.93, 0.90, 0.84)


def draw_nostrils(face: LitFace, sitter: Sitter) -> None:
    """Draw nostrils and the crease of the wings; they open as the head tips back."""
    at = sitter.at
    part = face.part((0.0, at.nose_y), (0.3, 0.15))
    ahead, y = np.abs(part.seen.x), part.seen.y
    tall = 0.018 - 0.05 * min(sitter.pitch, 0.0)
    hole = bump(ahead, y, (at.nose_half_width * 0.45, at.nose_y - 0.004), (0.032, tall))
    away = np.hypot(ahead - at.nose_half_width * 0.72, y - at.nose_y + 0.035)
    outer = ridge(away - 0.062, 0.016)
    outer = outer * smoothstep(0.0, 0.04, ahead - at.nose_half_width * 0.75)
    outer = outer * smoothstep(0.04, 0.0, y - at.nose_y)
    dark = np.clip(0.75 * hole + 0.2 * outer, 0.0, 0.9)
    part.put(shade(part.picture, dark, sitter.tones.dark * 0.6))


@dataclass(frozen=True)
class Lips:
    """The lips' edges as heights over the mouth, and how far it is open."""

    across: Plane
    arch: Plane
    line: Plane
    top: Plane
    bottom: Plane
    gap: float


def _shape_lips(part: LitFace, sitter: Sitter) -> Lips:
    at, face = sitter.at, sitter.face
    across = part.seen.x / at.mouth_half_width
    square = np.clip(across * across, 0.0, 2.0)
    arch = np.clip(1.0 - square, 0.0, 1.0)
    line = at.mouth_y - 0.075 * face.smile * square + 0.016 * face.smile
    gap = face.open_mouth * (0.012 + 0.085 * face.open_mouth + 0.02 * max(face.smile, 0.0))
    return Lips(across, arch, line, line - 0.25 * gap * arch, line + gap * arch, gap)


def draw_mouth(face: LitFace, sitter: Sitter) -> None:
    """Draw both lips, the line between them and, in an open mouth, the teeth."""
    at, tones = sitter.at, sitter.tones
    part = face.part((0.0, at.mouth_y + 0.03), (at.mouth_half_width + 0.12, 0.24))
    lips, y, pixel = _shape_lips(part, sitter), part.seen.y, part.seen.pixel
    peaks = np.exp(-(((np.abs(lips.across) - 0.3) / 0.2) ** 2))
    bow = 0.9 - 0.22 * np.exp(-((lips.across / 0.16) ** 2)) + 0.16 * peaks
    ends = np.sqrt(lips.arch)
    above = lips.top - at.upper_lip * bow * lips.arch
    below = lips.bottom + at.lower_lip * (0.6 * ends + 0.4 * lips.arch)
    soft, there = 0.016 + 1.2 * pixel, lips.arch > 0.0
    upper = inside(np.minimum(y - above, lips.line - y + 0.01), soft) * there
    lower = inside(np.minimum(below - y, y - lips.line), soft) * there
    picture = over(part.picture, tones.lip * part.arriving * 0.74, upper * 0.9)
    rosy = tones.lip * part.arriving * 1.05 + 0.22 * part.gloss * lower
    picture = over(picture, rosy, lower * 0.86)
    if lips.gap > 0.012:
        picture = _open(picture, part, lips, sitter)
    thin = max(0.011, 0.7 * pixel)
    seam = ridge(y - (lips.top if lips.gap > 0.012 else lips.line), thin)
    seam = seam * smoothstep(1.1, 0.9, np.abs(lips.across))
    corner = bump(np.abs(lips.across), y - lips.line, (1.0, 0.0), (0.06, 0.018))
    dark = np.clip(0.75 * seam + 0.45 * corner, 0.0, 0.85)
    part.put(shade(picture, dark, tones.dark * 0.5))


def _open(picture: Picture, part: LitFace, lips: Lips, sitter: Sitter) -> Picture:
    """Draw the dark of an open mouth and the upper teeth in it."""
    y, pixel = part.seen.y, part.seen.pixel
    inner = inside(np.minimum(y - lips.top, lips.bottom - y), 1.3 * pixel)
    inner = inner * smoothstep(0.98, 0.86, np.abs(lips.across))
    dark = sitter.tones.dark * 0.12 + linear(0.12, 0.03, 0.03)
    edge = lips.top + 0.055 - 0.03 * lips.across**2
    teeth = inside(edge - y, 0.012 + pixel) * smoothstep(0.95, 0.6, np.abs(lips.across))
    gaps = 1.0 - 0.16 * np.abs(np.cos(lips.across * 13.0)) ** 12
    tooth = TEETH * part.arriving * (0.85 * gaps)
    return over(picture, dark + (tooth - dark) * teeth, inner)
