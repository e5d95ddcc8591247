"""What a crop shows beyond the border of its picture: a reflection that loses its features.

A face may reach beyond its picture, and with older models its margin does. A plain reflection would
set a second pair of eyes beside the face, for the networks to learn. As in the preparation of
CelebA-HQ (Karras et al. 2018, appendix C) the reflection is blurred, the more the farther out:
colours go on, features do not.
"""

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageFilter

LAYERS = ((0.02, 0.03), (0.10, 0.12))
"""Blur and width of its onset, in edges of the crop: first fine detail goes, then every shape."""


def soften_beyond(crop: Image.Image, beyond: Float[np.ndarray, "size size"]) -> Image.Image:
    """Blur the crop where it shows what lies beyond the border; inside nothing changes.

    Args:
        crop: RGB crop, square, whose outer parts are reflected.
        beyond: How far each pixel lies outside the picture, in edges of the crop; 0 inside.
    """
    if not beyond.any():
        return crop
    pixels = np.asarray(crop, dtype=np.float32)
    for radius, onset in LAYERS:
        blurred = crop.filter(ImageFilter.GaussianBlur(radius * crop.width))
        weight = np.clip(beyond / onset, 0.0, 1.0)[..., None].astype(np.float32)
        pixels += weight * (np.asarray(blurred, dtype=np.float32) - pixels)
    return Image.fromarray(np.rint(pixels).astype(np.uint8))
