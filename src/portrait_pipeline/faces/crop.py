"""Square crops of faces, upright and never squashed, and the way back into the picture.

A crop is a similarity: centre, edge and angle of a square in the source picture. Points are
continuous: pixel (column i, row j) covers [i, i + 1) x [j, j + 1), its centre is (i + ½, j + ½).
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from portrait_pipeline.faces.border import soften_beyond
from portrait_pipeline.faces.detection import Detection
from portrait_pipeline.parameters import FaceParameters

MIN_EYE_DISTANCE = 0.15
"""Of the box; eyes closer together are a profile, whose eye line says nothing about the roll."""
SUPERSAMPLING = 2
REDUCING_GAP = 3.0
"""Squares much larger than their crop are averaged to three times its size before the filter."""


@dataclass(frozen=True)
class CropTransform:
    """A square in the source picture, as four numbers of the audit table.

    Attributes:
        centre_x: Centre, in pixels of the source from its left edge.
        centre_y: Centre, in pixels of the source from its upper edge.
        edge_px: Edge of the square in pixels of the source, above 0.
        angle_degrees: How far the square is turned clockwise, in (-180, 180].
    """

    centre_x: float
    centre_y: float
    edge_px: float
    angle_degrees: float = 0.0

    def to_source(
        self, points: Float[np.ndarray, "points 2"], crop_size_px: int
    ) -> Float[np.ndarray, "points 2"]:
        """Map points of a crop of `crop_size_px` to the source: R(p - ½ size)·scale + centre."""
        scale = self.edge_px / crop_size_px
        centred = (np.asarray(points, dtype=np.float64) - crop_size_px / 2) * scale
        return np.asarray(centred @ self._rotation().T + (self.centre_x, self.centre_y))

    def to_crop(
        self, points: Float[np.ndarray, "points 2"], crop_size_px: int
    ) -> Float[np.ndarray, "points 2"]:
        """Map points of the source to a crop of `crop_size_px`: the inverse of `to_source`."""
        scale = crop_size_px / self.edge_px
        centred = np.asarray(points, dtype=np.float64) - (self.centre_x, self.centre_y)
        return np.asarray(centred @ self._rotation() * scale + crop_size_px / 2)

    def _rotation(self) -> Float[np.ndarray, "2 2"]:
        angle = math.radians(self.angle_degrees)
        return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def crop_transform(
    detection: Detection, parameters: FaceParameters, picture_size_px: tuple[int, int]
) -> CropTransform:
    """Return the square around a face: its longer edge plus `margin`, along the line of the eyes.

    The margin is a share of the box, half of it on each side. Eyes too close together to tell a
    line (profiles) leave the crop unturned, as does `align_eyes: false`. With `fit_in_picture` the
    square gives up its margin and its place before it leaves the picture (`fit_in_picture` below).

    Args:
        detection: The face.
        parameters: Margin, alignment and whether the square stays in the picture.
        picture_size_px: Width and height of the picture, in the pixels of the detection.
    """
    angle = eye_angle(detection) if parameters.align_eyes else 0.0
    square = centred_square(detection, parameters.margin, angle)
    if not parameters.fit_in_picture:
        return square
    return fit_in_picture(square, picture_size_px, square.edge_px / (1.0 + parameters.margin))


def centred_square(detection: Detection, margin: float, angle_degrees: float) -> CropTransform:
    """Return the square around the middle of a face: the longer edge of its box plus a margin."""
    left, top, right, bottom = detection.box
    edge = max(right - left, bottom - top) * (1.0 + margin)
    return CropTransform((left + right) / 2, (top + bottom) / 2, edge, angle_degrees)


def fit_in_picture(
    square: CropTransform, picture_size_px: tuple[int, int], min_edge_px: float
) -> CropTransform:
    """Shrink a square until it fits into its picture, then move it inside by the shortest way.

    A square that lies inside stays as it is. One that would have to be smaller than `min_edge_px`
    keeps that edge, and the middle of the picture along each side that it is too long for.

    Args:
        square: The square, turned or not; its angle is kept.
        picture_size_px: Width and height of the picture.
        min_edge_px: Edge below which it is not shrunk: that of the face itself.
    """
    spread = _spread(square.angle_degrees)
    edge = min(square.edge_px, max(min(picture_size_px) / spread, min_edge_px))
    half = edge * spread / 2
    centre_x, centre_y = (
        min(max(place, half), length - half) if length >= 2 * half else length / 2
        for place, length in zip((square.centre_x, square.centre_y), picture_size_px, strict=True)
    )
    return replace(square, centre_x=centre_x, centre_y=centre_y, edge_px=edge)


def eye_angle(detection: Detection) -> float:
    """Return how far the line of the eyes is turned clockwise from the horizontal, in degrees.

    0 where the eyes are closer together than `MIN_EYE_DISTANCE` of the box.
    """
    (left_x, left_y), (right_x, right_y) = detection.landmarks[:2]
    across, down = right_x - left_x, right_y - left_y
    box_edge = max(detection.box[2] - detection.box[0], detection.box[3] - detection.box[1])
    if math.hypot(across, down) < MIN_EYE_DISTANCE * box_edge:
        return 0.0
    return math.degrees(math.atan2(down, across))


def centre_transform(width_px: int, height_px: int) -> CropTransform:
    """Return the largest square in the middle of a picture, for pictures without a face."""
    return CropTransform(width_px / 2, height_px / 2, float(min(width_px, height_px)))


def reflected_share(transform: CropTransform, width_px: int, height_px: int) -> float:
    """Return how much of a square lies beyond the border of its picture, in [0, 1].

    Counted on a grid of 32 x 32 points.
    """
    return float((distance_beyond(transform, (width_px, height_px), 32) > 0.0).mean())


def crop_face(
    image: Image.Image, transform: CropTransform, size_px: int
) -> UInt8[np.ndarray, "size size 3"]:
    """Cut the square out of the picture, turned upright, at `size_px` pixels.

    What lies beyond the border is reflected and softened (`border`). Shrinking is antialiased
    (Lanczos over the area that a crop pixel covers); a turned square is drawn at twice its size
    first.

    Args:
        image: RGB source picture, upright.
        transform: The square.
        size_px: Edge of the crop.
    """
    half = transform.edge_px / 2 * _spread(transform.angle_degrees) + 4
    left, top = math.floor(transform.centre_x - half), math.floor(transform.centre_y - half)
    extent = math.ceil(2 * half) + 1
    window = _reflected_window(image, (left, top), extent)
    centre = (transform.centre_x - left, transform.centre_y - top)
    if transform.angle_degrees == 0.0:
        corner = transform.edge_px / 2
        box = (centre[0] - corner, centre[1] - corner, centre[0] + corner, centre[1] + corner)
        crop = window.resize(
            (size_px, size_px), Image.Resampling.LANCZOS, box=box, reducing_gap=REDUCING_GAP
        )
    else:
        crop = _turned(
            window, CropTransform(*centre, transform.edge_px, transform.angle_degrees), size_px
        )
    beyond = distance_beyond(transform, image.size, size_px)
    return np.asarray(soften_beyond(crop, beyond))


def distance_beyond(
    transform: CropTransform, picture_size_px: tuple[int, int], size_px: int
) -> Float[np.ndarray, "size size"]:
    """Return how far each pixel of a crop lies beyond the border of the picture, in crop edges."""
    steps = np.arange(size_px) + 0.5
    points = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    source = transform.to_source(points, size_px)
    outside = np.maximum(np.maximum(-source, source - picture_size_px), 0.0)
    distances: Float[np.ndarray, "size size"] = np.hypot(*outside.T).reshape(size_px, size_px)
    return distances / transform.edge_px


def _spread(angle_degrees: float) -> float:
    """Edge of the upright square around a turned one of edge 1."""
    angle = math.radians(angle_degrees)
    return abs(math.cos(angle)) + abs(math.sin(angle))


def _turned(window: Image.Image, transform: CropTransform, size_px: int) -> Image.Image:
    drawn_px = size_px * SUPERSAMPLING
    ratio = max(1.0, transform.edge_px / drawn_px)
    small_px = max(1, round(window.width / ratio))
    scale = small_px / window.width
    small = (
        window.resize((small_px, small_px), Image.Resampling.LANCZOS, reducing_gap=REDUCING_GAP)
        if ratio > 1
        else window
    )
    moved = CropTransform(
        transform.centre_x * scale,
        transform.centre_y * scale,
        transform.edge_px * scale,
        transform.angle_degrees,
    )
    drawn = small.transform(
        (drawn_px, drawn_px),
        Image.Transform.AFFINE,
        affine_coefficients(moved, drawn_px),
        Image.Resampling.BICUBIC,
    )
    return drawn.resize((size_px, size_px), Image.Resampling.LANCZOS)


def affine_coefficients(
    transform: CropTransform, crop_size_px: int
) -> tuple[float, float, float, float, float, float]:
    """Return a, b, c, d, e, f of Pillow's affine: crop (x, y) shows source (ax+by+c, dx+ey+f)."""
    origin, along_x, along_y = transform.to_source(
        np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), crop_size_px
    )
    (a, d), (b, e) = along_x - origin, along_y - origin
    return (float(a), float(b), float(origin[0]), float(d), float(e), float(origin[1]))


def _reflected_window(image: Image.Image, corner: tuple[int, int], extent: int) -> Image.Image:
    """Cut out a square of whole pixels, reflected where it leaves the picture."""
    left, top = corner
    inside = left >= 0 and top >= 0
    if inside and left + extent <= image.width and top + extent <= image.height:
        return image.crop((left, top, left + extent, top + extent))
    columns = reflected_indices(left, extent, image.width)
    rows = reflected_indices(top, extent, image.height)
    # whole rows first: one indexing over both axes is several times slower
    return Image.fromarray(np.asarray(image).take(rows, axis=0).take(columns, axis=1))


def reflected_indices(start: int, count: int, length: int) -> np.ndarray:
    """Return `count` indices from `start` on, folded back into [0, length) at both ends.

    The border pixel is not repeated: 2 1 0 1 2 … as `numpy.pad(mode="reflect")`, however far out.
    """
    if length == 1:
        return np.zeros(count, dtype=np.int64)
    period = 2 * (length - 1)
    folded = np.arange(start, start + count) % period
    return np.minimum(folded, period - folded)
