"""Which part of a picture is the head that a face was found on: soft, from the face alone."""

import numpy as np
from jaxtyping import Float

from portrait_pipeline.faces.crop import CropTransform
from portrait_pipeline.faces.detection import Detection

HALF_WIDTH, HALF_HEIGHT = 0.68, 0.86
"""Of the ellipse in which the portrait shows at all, in longer edges of the face's box."""
RAISED = 0.1
"""How far its centre lies above the box's, likewise: a head goes on above the box with its hair."""
SOFT_SHARE = 0.55
"""Share of the ellipse's radius along which the portrait fades."""


def head_opacity(
    face: Detection, transform: CropTransform, box: tuple[int, int, int, int]
) -> Float[np.ndarray, "height width"]:
    """Return how much a pixel belongs to face and hair, in [0, 1], over a box of the picture.

    An ellipse along the axes of the crop, which the eyes decide, as wide and as tall as face and
    hair usually are.
    """
    edge = max(face.box[2] - face.box[0], face.box[3] - face.box[1]) / transform.edge_px
    middle = ((face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2)
    centre = transform.to_crop(np.array([middle]), 1)[0] - (0.0, RAISED * edge)
    offset = (unit_points(transform, box) - centre) / edge
    radius = np.hypot(offset[..., 0] / HALF_WIDTH, offset[..., 1] / HALF_HEIGHT)
    return smooth_step((1.0 - radius) / SOFT_SHARE)


def unit_points(
    transform: CropTransform, box: tuple[int, int, int, int]
) -> Float[np.ndarray, "height width 2"]:
    """Return where the middle of each pixel of a box lies in the square, in its edges."""
    left, top, right, bottom = box
    columns, rows = np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
    points = np.stack([columns.ravel(), rows.ravel()], axis=1)
    return transform.to_crop(points, 1).reshape(*columns.shape, 2)


def smooth_step(values: Float[np.ndarray, "height width"]) -> Float[np.ndarray, "height width"]:
    """Return 3t² - 2t³ of values cut to [0, 1]: it starts and ends without a bend."""
    ramp = np.clip(values, 0.0, 1.0)
    return np.asarray(ramp * ramp * (3.0 - 2.0 * ramp))
