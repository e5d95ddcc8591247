"""How large a portrait is written: the size asked for, or that of the face in its photo."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from portrait_pipeline.faces.crop import CropTransform
from portrait_pipeline.parameters import MAX_PORTRAIT_PX


def portrait_size_px(transform: CropTransform, size_px: int | None = None) -> int:
    """Return the edge of a portrait: `size_px`, or by default that of its crop in the photo."""
    return size_px or max(1, min(round(transform.edge_px), MAX_PORTRAIT_PX))


def at_size(
    portrait: UInt8[np.ndarray, "size size 3"], size_px: int
) -> UInt8[np.ndarray, "new_size new_size 3"]:
    """Resample a portrait to another edge."""
    if len(portrait) == size_px:
        return portrait
    picture = Image.fromarray(portrait)
    return np.asarray(picture.resize((size_px, size_px), Image.Resampling.LANCZOS))
