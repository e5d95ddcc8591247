"""A portrait back into the picture its photo was cropped from."""

import math

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.crop import CropTransform, affine_coefficients, reflected_indices
from portrait_pipeline.faces.detection import Detection
from portrait_pipeline.faces.grain import blend_with_grain
from portrait_pipeline.faces.head_mask import head_opacity, smooth_step, unit_points

FEATHER = 0.2
"""Width of the soft edge of a square, as a share of it."""

Box = tuple[int, int, int, int]


def paste_back(
    image: Image.Image,
    portrait: UInt8[np.ndarray, "size size 3"],
    transform: CropTransform,
    face: Detection | None = None,
    feather: float = FEATHER,
) -> Image.Image:
    """Lay a portrait over the square that its crop came from, softly.

    The inverse of `crop_face`; what the square held beyond the border of the picture is dropped.
    Where the face is known the portrait covers face and hair and fades into the ground around
    them; else it covers the square. Colours change gradually from photo to portrait, and grain
    keeps its strength on the way (`blend_with_grain`).

    Args:
        image: The RGB source picture; it is not changed.
        portrait: uint8 RGB in [0, 255], as large as it likes.
        transform: The square, as it was cropped.
        face: The face in the picture, around which the square was cropped.
        feather: Width of the soft edge as a share of the square, in [0, 0.5]; 0 is a hard edge.

    Raises:
        PortraitPipelineError: if `feather` is outside [0, 0.5].
    """
    if not 0.0 <= feather <= 0.5:
        raise PortraitPipelineError(f"feather is {feather}, expected a share in [0, 0.5]")
    box = _covered(image, transform)
    left, top, right, bottom = box
    if right <= left or bottom <= top:
        return image.copy()
    opacity = edge_opacity(transform, box, feather, image.size)
    if face is not None:
        opacity = opacity * head_opacity(face, transform, box)
    layer = _drawn(portrait, transform, box)
    below = np.asarray(image.crop(box), dtype=np.float64)
    blended = blend_with_grain(below, layer, opacity)
    result = image.copy()
    result.paste(Image.fromarray(np.clip(np.rint(blended), 0, 255).astype(np.uint8)), (left, top))
    return result


def edge_opacity(
    transform: CropTransform, box: Box, feather: float, picture_size_px: tuple[int, int]
) -> Float[np.ndarray, "height width"]:
    """Return how much of the portrait shows at each pixel of `box`, in [0, 1].

    3t² - 2t³ of the distance t to the nearest edge of the square in units of the feather; 0
    outside the square, 1 inside it beyond the feather. An upright square's edge that lies on the
    border of the picture has nothing beyond it to fade into, and stays whole.
    """
    unit = unit_points(transform, box)
    low, high = unit, 1.0 - unit
    if transform.angle_degrees == 0.0:
        half = transform.edge_px / 2
        for axis, centre in enumerate((transform.centre_x, transform.centre_y)):
            if centre - half <= 0.5:
                low[..., axis] = np.inf
            if centre + half >= picture_size_px[axis] - 0.5:
                high[..., axis] = np.inf
    inside = np.minimum(low, high).min(axis=-1)
    if feather == 0.0:
        return np.asarray(inside >= 0.0, dtype=np.float64)
    return smooth_step(inside / feather)


def _covered(image: Image.Image, transform: CropTransform) -> Box:
    corners = transform.to_source(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=float), 1)
    low, high = corners.min(axis=0), corners.max(axis=0)
    return (
        max(0, math.floor(low[0])),
        max(0, math.floor(low[1])),
        min(image.width, math.ceil(high[0])),
        min(image.height, math.ceil(high[1])),
    )


def _drawn(
    portrait: UInt8[np.ndarray, "size size 3"],
    transform: CropTransform,
    box: Box,
) -> Float[np.ndarray, "height width 3"]:
    """Draw the portrait as it lies in `box` of the source, reflected beyond its own edge."""
    left, top, right, bottom = box
    size = len(portrait)
    if size > transform.edge_px:
        size = max(1, round(transform.edge_px))
        small = Image.fromarray(portrait).resize((size, size), Image.Resampling.LANCZOS)
        portrait = np.asarray(small)
    pad = 4
    around = reflected_indices(-pad, size + 2 * pad, size)
    padded = Image.fromarray(portrait[np.ix_(around, around)])
    coefficients = _inverse_coefficients(transform, size, (left, top), pad)
    drawn = padded.transform(
        (right - left, bottom - top), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC
    )
    return np.asarray(drawn, dtype=np.float64)


def _inverse_coefficients(
    transform: CropTransform, size_px: int, corner: tuple[int, int], pad: int
) -> tuple[float, float, float, float, float, float]:
    a, b, c, d, e, f = affine_coefficients(transform, size_px)
    forward = np.array([[a, b, c], [d, e, f], [0.0, 0.0, 1.0]])
    shift = np.array([[1.0, 0.0, corner[0]], [0.0, 1.0, corner[1]], [0.0, 0.0, 1.0]])
    backward = np.linalg.inv(forward) @ shift
    backward[:2, 2] += pad
    (g, h, i), (j, k, m) = backward[0], backward[1]
    return (float(g), float(h), float(i), float(j), float(k), float(m))
