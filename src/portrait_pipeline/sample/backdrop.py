"""Backgrounds: blurred places for photos, dark grounds for paintings."""

import numpy as np
from PIL import Image

from portrait_pipeline.sample.fields import (
    Colour,
    Picture,
    Plane,
    blend_colour,
    blur,
    cloud,
    linear,
    smoothstep,
)

SMALL = 48


def _axes() -> tuple[Plane, Plane]:
    line = np.linspace(-1.0, 1.0, SMALL, dtype=np.float32)
    return np.broadcast_to(line, (SMALL, SMALL)), np.broadcast_to(line[:, None], (SMALL, SMALL))


def _grow(small: Picture, size_px: int) -> Picture:
    planes = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(small[c], dtype=np.float32)).resize(
                (size_px, size_px), Image.Resampling.BICUBIC
            )
        )
        for c in range(3)
    ]
    return np.maximum(np.stack(planes), 0.0)


def _any_colour(rng: np.random.Generator, low: float, high: float, chroma: float) -> Colour:
    grey = rng.uniform(low, high)
    red, green, blue = np.clip(grey + chroma * rng.uniform(-1.0, 1.0, 3), 0.02, 1.0)
    return linear(float(red), float(green), float(blue))


def draw_place(rng: np.random.Generator, size_px: int) -> Picture:
    """Draw a background out of focus: studio, foliage, room, lights or sky; linear RGB."""
    draw = (_studio, _foliage, _room, _lights, _sky)[int(rng.integers(5))]
    small = draw(rng)
    return _grow(np.asarray(blur(small, float(rng.uniform(0.8, 2.0))), dtype=np.float32), size_px)


def _studio(rng: np.random.Generator) -> Picture:
    x, y = _axes()
    colour = _any_colour(rng, 0.3, 0.85, 0.14)
    glow = np.exp(-((x - rng.uniform(-0.5, 0.5)) ** 2 + (y - rng.uniform(-0.5, 0.3)) ** 2) / 0.9)
    return np.asarray(colour * (0.5 + 0.8 * glow), dtype=np.float32)


def _foliage(rng: np.random.Generator) -> Picture:
    x, y = _axes()
    leaves = cloud(rng, SMALL, 8) * 0.5 + cloud(rng, SMALL, 16) * 0.5
    dark, light = linear(0.12, 0.22, 0.10), linear(0.55, 0.66, 0.30)
    tone = smoothstep(-0.7, 0.9, leaves - 0.3 * y + 0.2 * x * rng.uniform(-1.0, 1.0))
    ground = dark + (light - dark) * tone
    spots = np.maximum(cloud(rng, SMALL, 12) - 0.55, 0.0) * 2.0
    return np.asarray(ground + linear(0.95, 0.97, 0.80) * spots, dtype=np.float32)


def _room(rng: np.random.Generator) -> Picture:
    x, y = _axes()
    small = np.broadcast_to(_any_colour(rng, 0.35, 0.75, 0.08), (3, SMALL, SMALL))
    for _ in range(7):
        left, top = rng.uniform(-1.2, 0.9), rng.uniform(-1.2, 0.7)
        wide, tall = rng.uniform(0.1, 0.8), rng.uniform(0.2, 1.4)
        box = (x > left) & (x < left + wide) & (y > top) & (y < top + tall)
        small = np.where(box, _any_colour(rng, 0.12, 0.9, 0.15), small)
    return np.asarray(small, dtype=np.float32)


def _lights(rng: np.random.Generator) -> Picture:
    x, y = _axes()
    dark = blend_colour(linear(0.05, 0.06, 0.10), linear(0.20, 0.16, 0.14), rng.random())
    small = dark * (1.2 - 0.4 * y)
    for _ in range(14):
        centre = rng.uniform(-1.0, 1.0, 2)
        disc = smoothstep(
            0.02, -0.02, np.hypot(x - centre[0], y - centre[1]) - rng.uniform(0.06, 0.2)
        )
        glow = blend_colour(linear(1.0, 0.75, 0.4), linear(0.5, 0.7, 1.0), rng.random())
        small = small + disc * glow * np.float32(rng.uniform(0.1, 0.5))
    return np.asarray(small, dtype=np.float32)


def _sky(rng: np.random.Generator) -> Picture:
    x, y = _axes()
    clouds = smoothstep(-0.2, 0.9, cloud(rng, SMALL, 5))
    sky = linear(0.42, 0.60, 0.82) + (linear(0.93, 0.94, 0.96) - linear(0.42, 0.60, 0.82)) * (
        clouds * 0.7 + 0.2 * smoothstep(-1.0, 0.4, y)
    )
    hills = smoothstep(0.0, 0.12, y - rng.uniform(-0.1, 0.4) - 0.15 * cloud(rng, SMALL, 2))
    land = _any_colour(rng, 0.25, 0.5, 0.1) * (1.0 + 0.3 * x)
    return np.asarray(sky + (land - sky) * hills, dtype=np.float32)


def draw_ground(rng: np.random.Generator, size_px: int) -> Picture:
    """Draw the dark ground of a painting: umber, green or grey, lighter beside the head."""
    x, y = _axes()
    choices = (
        linear(0.30, 0.20, 0.12),
        linear(0.24, 0.22, 0.13),
        linear(0.27, 0.23, 0.19),
        linear(0.33, 0.19, 0.12),
        linear(0.18, 0.20, 0.16),
    )
    colour = choices[int(rng.integers(len(choices)))] * np.float32(rng.uniform(0.7, 1.3))
    side = rng.uniform(-0.7, 0.7)
    glow = np.exp(-((x - side) ** 2 + (y + rng.uniform(-0.2, 0.4)) ** 2) / 0.55)
    tone = 0.32 + 1.25 * glow + 0.22 * cloud(rng, SMALL, 6) + 0.12 * cloud(rng, SMALL, 14)
    small = colour * np.maximum(tone, 0.08)
    if rng.random() < 0.25:
        hang = smoothstep(0.1, 0.3, np.sign(side) * -x - 0.35 + 0.2 * y)
        folds = 0.6 + 0.4 * np.cos(14.0 * x + 2.5 * y + cloud(rng, SMALL, 3))
        drape = linear(0.36, 0.09, 0.07) * folds
        small = small + (drape - small) * hang
    return _grow(np.asarray(blur(small, 0.8), dtype=np.float32), size_px)
