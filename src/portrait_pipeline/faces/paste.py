"""A portrait back into the picture its photo was cropped from."""

import math

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.crop import CropTransform, affine_coefficients, reflected_indices


def paste_back(
    image: Image.Image,
    portrait: UInt8[np.ndarray, "size size 3"],
    transform: CropTransform,
    feather: float = 0.1,
) -> Image.Image:
    """Lay a portrait over the square that its crop came from, with a soft edge.

    The inverse of `crop_face`; what the square held beyond the border of the picture is dropped.

    Args:
        image: The RGB source picture; it is not changed.
        portrait: uint8 RGB in [0, 255], as large as it likes.
        transform: The square, as it was cropped.
        feather: Width of the soft edge as a share of the square, in [0, 0.5]; 0 is a hard edge.

    Raises:
        PortraitPipelineError: if `feather` is outside [0, 0.5].
    """
    if not 0.0 <= feather <= 0.5:
        raise PortraitPipelineError(f"feather is {feather}, expected a share in [0, 0.5]")
    left, top, right, bottom = _covered(image, transform)
    if right <= left or bottom <= top:
        return image.copy()
    layer = _drawn(portrait, transform, (left, top, right, bottom))
    opacity = edge_opacity(transform, (left, top, right, bottom), feather)[..., None]
    below = np.asarray(image.crop((left, top, right, bottom)), dtype=np.float64)
    blended = np.round(opacity * layer + (1.0 - opacity) * below).astype(np.uint8)
    result = image.copy()
    result.paste(Image.fromarray(blended), (left, top))
    return result


def edge_opacity(
    transform: CropTransform, box: tuple[int, int, int, int], feather: float
) -> Float[np.ndarray, "height width"]:
    """Return how much of the portrait shows at each pixel of `box`, in [0, 1].

    3t² - 2t³ of the distance t to the nearest edge of the square in units of the feather; 0
    outside the square, 1 inside it beyond the feather.
    """
    left, top, right, bottom = box
    columns, rows = np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
    points = np.stack([columns.ravel(), rows.ravel()], axis=1)
    unit = transform.to_crop(points, 1)
    inside = np.minimum(unit, 1.0 - unit).min(axis=1).reshape(columns.shape)
    if feather == 0.0:
        return np.asarray(inside >= 0.0, dtype=np.float64)
    ramp = np.clip(inside / feather, 0.0, 1.0)
    return np.asarray(ramp * ramp * (3.0 - 2.0 * ramp))


def _covered(image: Image.Image, transform: CropTransform) -> tuple[int, int, int, int]:
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
    box: tuple[int, int, int, int],
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
