"""What one picture adds to a person: pose, light and expression."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from portrait_pipeline.sample.fields import Colour, Vector, colour, linear

Rotation = Float[np.ndarray, "3 3"]


@dataclass(frozen=True)
class Pose:
    """The pose of the head: angles in radians, position and half-height in half frames.

    The frame is [-1, 1] across and down; the head's own unit is half its height.
    """

    yaw: float
    pitch: float
    roll: float
    centre_x: float
    centre_y: float
    scale: float

    def rotation(self) -> Rotation:
        """Return the rotation from head to camera without roll: yaw, then pitch (y is down)."""
        cy, sy, cp, sp = np.cos(self.yaw), np.sin(self.yaw), np.cos(self.pitch), np.sin(self.pitch)
        turn = np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
        nod = np.array([[1.0, 0.0, 0.0], [0.0, cp, sp], [0.0, -sp, cp]])
        return np.asarray(nod @ turn, dtype=np.float32)

    def to_head(self, direction: Vector) -> Vector:
        """Turn a direction given in camera axes into the head's own axes."""
        cosine, sine = np.cos(self.roll), np.sin(self.roll)
        unroll = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
        return np.asarray(self.rotation().T @ unroll @ direction, dtype=np.float32)

    def place(self, point: tuple[float, float, float]) -> tuple[float, float]:
        """Return where a point of the head stands in head-sized camera units, before roll."""
        seen = self.rotation() @ np.array(point)
        return float(seen[0]), float(seen[1])


@dataclass(frozen=True)
class Light:
    """A key lamp, a fill from the other side and the light of the surroundings.

    Directions are unit vectors towards the lamp in camera axes (x right, y down, z to the viewer).
    """

    key_direction: Vector
    key_colour: Colour
    fill_direction: Vector
    fill_colour: Colour
    ambient: Colour


@dataclass(frozen=True)
class Expression:
    """The expression of the face: smile in [-0.4, 1], mouth opening, brow lift, lids, gaze."""

    smile: float
    open_mouth: float
    brow_lift: float
    squint: float
    gaze_x: float
    gaze_y: float


@dataclass(frozen=True)
class Capture:
    """Pose, light and expression of one picture."""

    pose: Pose
    light: Light
    expression: Expression


def draw_capture(rng: np.random.Generator) -> Capture:
    """Draw pose, light and expression, each independently of who is pictured."""
    return Capture(_draw_pose(rng), _draw_light(rng), _draw_expression(rng))


def _draw_pose(rng: np.random.Generator) -> Pose:
    scale = rng.uniform(0.52, 0.68)
    return Pose(
        yaw=float(np.clip(rng.normal(0.0, 0.2), -0.42, 0.42)),
        pitch=float(np.clip(rng.normal(0.0, 0.08), -0.18, 0.18)),
        roll=float(np.clip(rng.normal(0.0, 0.08), -0.2, 0.2)),
        centre_x=rng.uniform(-0.14, 0.14),
        centre_y=rng.uniform(-0.16, 0.04) + 0.3 * (0.6 - scale),
        scale=scale,
    )


def _unit(x: float, y: float, z: float) -> Vector:
    vector = np.array([x, y, z], dtype=np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def _draw_light(rng: np.random.Generator) -> Light:
    side = rng.uniform(-0.95, 0.95)
    warmth = rng.uniform(-0.07, 0.07)
    contrast = rng.uniform(0.0, 1.0)
    tint = linear(1.0, 0.97, 0.93) * colour(1 + warmth, 1.0, 1 - warmth)
    cool = linear(0.93, 0.97, 1.0) * colour(1 - warmth, 1.0, 1 + warmth)
    return Light(
        key_direction=_unit(side, -rng.uniform(0.25, 0.8), rng.uniform(0.7, 1.1)),
        key_colour=tint * np.float32(0.78 + 0.22 * contrast),
        fill_direction=_unit(-side * 1.2, -0.1, 0.8),
        fill_colour=cool * np.float32(0.34 - 0.22 * contrast),
        ambient=cool * np.float32(0.27 - 0.1 * contrast),
    )


def _draw_expression(rng: np.random.Generator) -> Expression:
    smiling = rng.random() < 0.55
    speaking = rng.random() < 0.3
    smile = rng.uniform(0.25, 1.0) if smiling else rng.uniform(-0.35, 0.2)
    return Expression(
        smile=smile,
        open_mouth=rng.uniform(0.35, 1.0) if speaking else 0.0,
        brow_lift=rng.uniform(-0.6, 0.8),
        squint=0.5 * max(smile, 0.0) * rng.random(),
        gaze_x=float(rng.normal(0.0, 0.25)),
        gaze_y=float(rng.normal(0.0, 0.15)),
    )
