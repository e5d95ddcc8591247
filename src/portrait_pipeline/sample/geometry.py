"""Projection of a head: which point of the head every pixel shows.

A shell is a stack of half ellipses: at height v it is `width(v)` to each side and `depth(v)` to the
front, x = width·sin θ, z = depth·cos θ. A relief h(x, y) is added to z. Turned by yaw ψ, a pixel at
x shows θ = asin((x - h sin ψ) / a) - α with a = |(width cos ψ, depth sin ψ)|, which the solver
repeats with the height that the pitch brings, until both agree.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import ndimage

from portrait_pipeline.sample.capture import Pose
from portrait_pipeline.sample.fields import Picture, Plane, Window, inside, sample_plane, unit

Profile = list[tuple[float, float]]

TABLE_LOW, TABLE_HIGH, TABLE_SIZE = -1.7, 3.0, 471
GRID_SIZE = 112
GRID_HALF_WIDTH, GRID_HALF_HEIGHT = 1.0, 1.2
SOLVER_STEPS = 3


@dataclass(frozen=True)
class Shell:
    """Half widths and depths over the height v, tabulated, with the slope of each."""

    width: Float[np.ndarray, "heights"]
    depth: Float[np.ndarray, "heights"]
    width_slope: Float[np.ndarray, "heights"]
    depth_slope: Float[np.ndarray, "heights"]
    top: float
    bottom: float


@dataclass(frozen=True)
class Relief:
    """A height added to a shell's depth, on a grid over x and y, with its slopes."""

    height: Float[np.ndarray, "rows columns"]
    slope_x: Float[np.ndarray, "rows columns"]
    slope_y: Float[np.ndarray, "rows columns"]


@dataclass(frozen=True)
class Surface:
    """The point of a shell that every pixel shows, in the shell's own axes.

    Attributes:
        x: Across, right positive.
        y: Down.
        theta: Longitude in radians, 0 straight ahead.
        normal: Unit normals of the shell with its relief.
        cover: Antialiased mask of the shell.
        edge: Signed distance to the outline in head units, positive inside.
        pixel: The width of a pixel in head units.
    """

    x: Plane
    y: Plane
    theta: Plane
    normal: Picture
    cover: Plane
    edge: Plane
    pixel: float

    def around(self, centre: tuple[float, float], reach: tuple[float, float]) -> Window:
        """Return the rows and columns that show the points within `reach` of `centre`."""
        near = (np.abs(self.x - centre[0]) < reach[0]) & (np.abs(self.y - centre[1]) < reach[1])
        near &= self.cover > 0.0
        rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
        if len(rows) == 0:
            return slice(0, 0), slice(0, 0)
        return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)

    def crop(self, window: Window) -> "Surface":
        """Return the part of the surface inside a window."""
        return Surface(
            x=self.x[window],
            y=self.y[window],
            theta=self.theta[window],
            normal=self.normal[:, *window],
            cover=self.cover[window],
            edge=self.edge[window],
            pixel=self.pixel,
        )


def tabulate(profile: Profile) -> Float[np.ndarray, "heights"]:
    """Tabulate a profile; squares are interpolated, so that its ends are elliptic."""
    heights = np.linspace(TABLE_LOW, TABLE_HIGH, TABLE_SIZE)
    places, values = np.array(profile).T
    squares = values * values
    # beyond its ends the square goes on falling, so that smoothing leaves no thin tail
    places = np.array([2 * places[0] - places[1], *places, 2 * places[-1] - places[-2]])
    squares = np.array([-squares[1], *squares, -squares[-2]])
    squared = np.interp(heights, places, squares)
    smooth = ndimage.gaussian_filter1d(squared, 5.0, mode="nearest")
    return np.asarray(np.sqrt(np.maximum(smooth, 0.0)), dtype=np.float32)


def make_shell(width: Profile, depth: Profile) -> Shell:
    """Build a shell from control points (height, half width) and (height, depth)."""
    step = (TABLE_HIGH - TABLE_LOW) / (TABLE_SIZE - 1)
    wide, deep = tabulate(width), tabulate(depth)
    solid = np.flatnonzero(wide > 0.0)
    return Shell(
        width=wide,
        depth=deep,
        width_slope=np.clip(np.gradient(wide, step), -4.0, 4.0).astype(np.float32),
        depth_slope=np.clip(np.gradient(deep, step), -4.0, 4.0).astype(np.float32),
        top=TABLE_LOW + step * float(solid[0]),
        bottom=TABLE_LOW + step * float(solid[-1]),
    )


def look_up(table: Float[np.ndarray, "heights"], height: Plane) -> Plane:
    """Read a tabulated profile at the given heights, linearly between entries."""
    place = (height - TABLE_LOW) * ((TABLE_SIZE - 1) / (TABLE_HIGH - TABLE_LOW))
    place = np.clip(place, 0.0, TABLE_SIZE - 1.001)
    low = place.astype(np.int32)
    below = table[low]
    return below + (table[low + 1] - below) * (place - low)


def grid_axes() -> tuple[Plane, Plane]:
    """Return x and y of the grid on which reliefs are defined."""
    x = np.linspace(-GRID_HALF_WIDTH, GRID_HALF_WIDTH, GRID_SIZE, dtype=np.float32)
    y = np.linspace(-GRID_HALF_HEIGHT, GRID_HALF_HEIGHT, GRID_SIZE, dtype=np.float32)
    return np.broadcast_to(x, (GRID_SIZE, GRID_SIZE)), np.broadcast_to(
        y[:, None], (GRID_SIZE, GRID_SIZE)
    )


def make_relief(height: Plane) -> Relief:
    """Attach the slopes to a height drawn on the grid of `grid_axes`."""
    slope_y, slope_x = np.gradient(
        height,
        2 * GRID_HALF_HEIGHT / (GRID_SIZE - 1),
        2 * GRID_HALF_WIDTH / (GRID_SIZE - 1),
    )
    return Relief(height, slope_x.astype(np.float32), slope_y.astype(np.float32))


def read_grid(plane: Plane, x: Plane, y: Plane) -> Plane:
    """Read a plane drawn on the grid of `grid_axes` at points of the head."""
    row = (y + GRID_HALF_HEIGHT) * ((GRID_SIZE - 1) / (2 * GRID_HALF_HEIGHT))
    column = (x + GRID_HALF_WIDTH) * ((GRID_SIZE - 1) / (2 * GRID_HALF_WIDTH))
    return sample_plane(plane, row, column)


def head_axes(pose: Pose, size_px: int, window: Window) -> tuple[Plane, Plane]:
    """Return x and y of every pixel in head units around the head's centre, roll undone."""
    line = ((np.arange(size_px, dtype=np.float32) + 0.5) * 2.0 / size_px) - 1.0
    right = (line[None, window[1]] - pose.centre_x) / pose.scale
    down = (line[window[0], None] - pose.centre_y) / pose.scale
    cosine, sine = math.cos(pose.roll), math.sin(pose.roll)
    return cosine * right + sine * down, cosine * down - sine * right


def window_around(pose: Pose, size_px: int, across: float, above: float, below: float) -> Window:
    """Return the rows and columns that contain a head of this extent, rolled or not."""
    lean = abs(math.sin(pose.roll)) * max(above, below)
    middle_x, middle_y = (pose.centre_x + 1.0) / 2.0, (pose.centre_y + 1.0) / 2.0
    unit = pose.scale / 2.0
    left, right = middle_x - unit * (across + lean), middle_x + unit * (across + lean)
    top, bottom = middle_y - unit * (above + 0.2 * across), middle_y + unit * (below + 0.2 * across)
    return _clip_span(top, bottom, size_px), _clip_span(left, right, size_px)


def _clip_span(low: float, high: float, size_px: int) -> slice:
    first = min(max(int(low * size_px), 0), size_px - 1)
    return slice(first, max(min(math.ceil(high * size_px) + 1, size_px), first + 1))


def project(
    shell: Shell, relief: Relief | None, pose: Pose, size_px: int, window: Window
) -> Surface:
    """Find the point of the shell that every pixel of the window shows."""
    x, y = head_axes(pose, size_px, window)
    sin_yaw, cos_yaw = math.sin(pose.yaw), math.cos(pose.yaw)
    sin_pitch, cos_pitch = math.sin(pose.pitch), math.cos(pose.pitch)
    height, depth_seen, raised = y, np.zeros_like(y), np.zeros_like(y)
    for _ in range(SOLVER_STEPS):
        height = (y - depth_seen * sin_pitch) / cos_pitch
        wide, deep = look_up(shell.width, height), look_up(shell.depth, height)
        reach = np.hypot(wide * cos_yaw, deep * sin_yaw) + 1e-4
        ratio = np.clip((x - raised * sin_yaw) / reach, -1.0, 1.0)
        theta = np.arcsin(ratio) - np.arctan2(deep * sin_yaw, wide * cos_yaw + 1e-6)
        across, ahead = wide * np.sin(theta), deep * np.cos(theta)
        if relief is not None:
            raised = read_grid(relief.height, across, height) * np.clip(ahead * 4.0, 0.0, 1.0)
        depth_seen = -across * sin_yaw + (ahead + raised) * cos_yaw
    slope = look_up(shell.width_slope, height)
    edge = (reach - np.abs(x)) / np.sqrt(1.0 + slope * slope)
    edge = np.minimum(edge, np.minimum(height - shell.top, shell.bottom - height))
    pixel = 2.0 / (size_px * pose.scale)
    normal = _normals(shell, relief, across, height, theta)
    return Surface(across, height, theta, normal, inside(edge, 1.5 * pixel), edge, pixel)


def _normals(shell: Shell, relief: Relief | None, x: Plane, y: Plane, theta: Plane) -> Picture:
    """Return ∂θ × ∂v of the shell, tilted by the slopes of its relief where it faces forward."""
    sine, cosine = np.sin(theta), np.cos(theta)
    wide, deep = look_up(shell.width, y) + 0.02, look_up(shell.depth, y) + 0.02
    wide_slope, deep_slope = look_up(shell.width_slope, y), look_up(shell.depth_slope, y)
    right, ahead = deep * sine, wide * cosine
    down = -(deep * wide_slope * sine * sine + wide * deep_slope * cosine * cosine)
    if relief is not None:
        front = np.maximum(ahead, 0.0)
        right = right - front * read_grid(relief.slope_x, x, y)
        down = down - front * read_grid(relief.slope_y, x, y)
    return unit(right, down, ahead)
