"""Clothes: modern ones for the photos, period ones for the paintings."""

import numpy as np

from portrait_pipeline.sample.fields import Plane, inside, linear, over, ridge, shade, smoothstep
from portrait_pipeline.sample.figure import Figure
from portrait_pipeline.sample.identity import Identity
from portrait_pipeline.sample.torso import (
    Torso,
    drape,
    light_folds,
    neck_opening,
    shoulder_line,
)

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
    linear(0.34, 0.10, 0.09),
    linear(0.12, 0.15, 0.14),
    linear(0.20, 0.17, 0.10),
)
LINEN = linear(0.90, 0.88, 0.82)


def draw_clothes(figure: Figure, torso: Torso, person: Identity, rng: np.random.Generator) -> None:
    """Draw the clothes of a photo: round neck, V neck, shirt under a jacket, or roll neck."""
    first, second = rng.integers(len(CLOTHS), size=2)
    kind = int(rng.integers(4))
    depth = (0.60, 0.98, 0.74, 0.30)[kind] + (0.06 if person.feminine else 0.0)
    width = (0.50, 0.46, 0.44, 0.46)[kind]
    opening = neck_opening(torso, depth, width, pointed=kind in (1, 2))
    body = inside(np.minimum(torso.v - shoulder_line(torso), -opening), 1.6 * torso.pixel)
    colour = CLOTHS[first] * rng.uniform(0.8, 1.15)
    if kind == 2:
        away = np.abs(torso.u) - 0.10 - 0.42 * np.clip(1.5 - torso.v, 0.0, 2.0)
        colour = over(CLOTHS[3] * 0.95, CLOTHS[second] * 0.5, inside(away, 0.02))
        colour = shade(colour, 0.5 * ridge(away, 0.03))
    if kind == 3:
        roll = np.minimum(torso.neck + 0.045 - np.abs(torso.u), torso.v - 0.34)
        body = np.maximum(body, inside(roll, 0.03))
    cloth = shade(drape(torso, colour, rng), 0.3 * ridge(opening + 0.035, 0.035))
    figure.lay(torso.window, "cloth", cloth, body)


def draw_period_clothes(
    figure: Figure, torso: Torso, person: Identity, rng: np.random.Generator
) -> None:
    """Draw the clothes of a painting: ruff, falling collar, cravat or low gown on dark cloth."""
    cloth = PERIOD_CLOTHS[int(rng.integers(len(PERIOD_CLOTHS)))] * rng.uniform(0.8, 1.3)
    kind = int(rng.choice((0, 1, 3) if person.feminine else (0, 1, 2)))
    depth, width = (0.95, 0.75) if kind == 3 else (0.66, 0.55)
    opening = neck_opening(torso, depth, width, pointed=False)
    body = inside(np.minimum(torso.v - shoulder_line(torso), -opening), 1.6 * torso.pixel)
    figure.lay(torso.window, "cloth", drape(torso, cloth, rng), body)
    folds, mask = (_ruff, _falling_collar, _cravat, _gown_edge)[kind](torso)
    white = LINEN * light_folds(torso, folds) * (0.62 + 0.38 * folds)
    figure.lay(torso.window, "linen", white, mask)


def _ruff(torso: Torso) -> tuple[Plane, Plane]:
    u, v = torso.u, (torso.v - 0.28) * 1.9
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    pleats = 0.5 + 0.5 * np.cos(angle * 34.0 + 0.8 * np.cos(angle * 17.0))
    ring = np.minimum(0.92 + 0.02 * pleats - radius, radius - 0.33)
    return pleats * smoothstep(0.35, 0.8, radius), inside(ring, 0.03) * smoothstep(
        0.0, 0.2, torso.v
    )


def _falling_collar(torso: Torso) -> tuple[Plane, Plane]:
    u, v = np.abs(torso.u), torso.v
    below = 0.98 + 0.03 * np.cos(u * 30.0) - 0.30 * u - v
    above = v - 0.40 - 0.15 * np.clip(0.42 - u, 0.0, 1.0)
    gap = u - 0.18 * np.clip(v - 0.55, 0.0, 1.0)
    mask = inside(np.minimum(np.minimum(below, above), np.minimum(0.85 - u, gap)), 0.03)
    return 0.75 + 0.25 * np.cos(u * 11.0) * smoothstep(0.4, 0.9, v), mask


def _cravat(torso: Torso) -> tuple[Plane, Plane]:
    u, v = torso.u, torso.v
    wide = np.abs(u)
    band = np.minimum(torso.neck + 0.05 - wide, np.minimum(v - 0.28, 0.68 - v + 0.1 * u * u))
    fall = np.minimum(0.10 + 0.2 * np.clip(v - 0.5, 0.0, 1.0) - wide, np.minimum(v - 0.5, 1.4 - v))
    folds = np.where(v < 0.62, 0.6 + 0.4 * np.cos(v * 24.0 + 3.0 * u), 0.6 + 0.4 * np.cos(u * 34.0))
    return folds, inside(np.maximum(band, fall), 0.03)


def _gown_edge(torso: Torso) -> tuple[Plane, Plane]:
    opening = neck_opening(torso, 0.95, 0.75, pointed=False)
    frill = 0.5 + 0.5 * np.cos(torso.u * 28.0)
    return frill, inside(0.05 + 0.02 * frill - np.abs(opening + 0.05), 0.03) * (torso.v > 0.5)
