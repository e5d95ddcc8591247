"""Light on surfaces: wrapped diffuse light, highlights, cast shadow and occlusion."""

from dataclasses import dataclass

import numpy as np

from portrait_pipeline.sample.capture import Light, Pose
from portrait_pipeline.sample.fields import Picture, Plane, Vector, blur, dot, sample_plane
from portrait_pipeline.sample.geometry import (
    GRID_HALF_HEIGHT,
    GRID_HALF_WIDTH,
    GRID_SIZE,
    Relief,
    Shell,
    grid_axes,
    look_up,
)

SKIN_WRAP = (0.38, 0.22, 0.15)
MATT_WRAP = (0.12, 0.12, 0.12)
SHADOW_STEPS = 7


@dataclass(frozen=True)
class LightOnHead:
    """The lamps in the head's own axes, with the direction to the viewer."""

    key: Vector
    fill: Vector
    viewer: Vector
    up: Vector
    light: Light


def turn_light(light: Light, pose: Pose) -> LightOnHead:
    """Turn the lamps into the head's axes."""
    to_viewer = np.array([0.0, 0.0, 1.0], dtype=np.float32)
    upward = np.array([0.0, -1.0, 0.0], dtype=np.float32)
    return LightOnHead(
        key=pose.to_head(light.key_direction),
        fill=pose.to_head(light.fill_direction),
        viewer=pose.to_head(to_viewer),
        up=pose.to_head(upward),
        light=light,
    )


def facing_camera(light: Light) -> LightOnHead:
    """Return the lamps for parts that stay upright before the camera: neck and clothes."""
    return turn_light(light, Pose(0.0, 0.0, 0.0, 0.0, 0.0, 1.0))


def diffuse(
    normal: Picture,
    lamps: LightOnHead,
    shadow: Plane | float,
    wrap: tuple[float, float, float],
) -> Picture:
    """Compute the light at each pixel: max(0, (n·l + w) / (1 + w)) per colour for both lamps.

    The wrap w lets light reach past the terminator; larger in red, as under skin.
    """
    key, fill = dot(normal, lamps.key), dot(normal, lamps.fill)
    arriving = (0.75 + 0.25 * dot(normal, lamps.up)) * lamps.light.ambient
    for channel, reach in enumerate(wrap):
        lit = np.maximum((key + reach) / (1.0 + reach), 0.0)
        lit *= (1.0 - reach + reach * lit) * (1.0 - shadow * (1.0 - 0.5 * reach))
        filled = np.maximum((fill + reach) / (1.0 + reach), 0.0)
        arriving[channel] += lit * lamps.light.key_colour[channel]
        arriving[channel] += filled * lamps.light.fill_colour[channel]
    return arriving


def highlight(normal: Picture, lamps: LightOnHead, hardness: float) -> Plane:
    """Compute the Blinn-Phong highlight of the key lamp: max(0, n·h)^hardness."""
    half = lamps.key + lamps.viewer
    half = half / np.linalg.norm(half)
    return np.asarray(np.maximum(dot(normal, half), 0.0) ** hardness, dtype=np.float32)


def cast_shadow(shell: Shell, relief: Relief, lamps: LightOnHead) -> tuple[Plane, Plane]:
    """March over the head's depth map towards the key lamp.

    Returns:
        Shadow and occlusion on the relief's grid, both in [0, 1].
    """
    x, y = grid_axes()
    wide, deep = look_up(shell.width, y), look_up(shell.depth, y)
    ahead = np.sqrt(np.maximum(1.0 - (x / (wide + 1e-3)) ** 2, 0.0))
    depth = deep * ahead + relief.height * (ahead > 0.0)
    rows, columns = np.mgrid[0:GRID_SIZE, 0:GRID_SIZE].astype(np.float32)
    right = lamps.key[0] * (GRID_SIZE - 1) / (2 * GRID_HALF_WIDTH)
    down = lamps.key[1] * (GRID_SIZE - 1) / (2 * GRID_HALF_HEIGHT)
    shadow = np.zeros_like(depth)
    for step in range(1, SHADOW_STEPS + 1):
        far = 0.055 * step
        over = sample_plane(depth, rows + down * far, columns + right * far)
        rise = over - depth - max(float(lamps.key[2]), 0.15) * far
        shadow = np.maximum(shadow, np.clip(rise / (0.015 + 0.15 * far), 0.0, 1.0))
    occluded = np.clip((blur(depth, 5.0) - depth) * 6.0, 0.0, 0.42) * (ahead > 0.25)
    return blur(shadow, 1.0), blur(occluded, 0.8)
