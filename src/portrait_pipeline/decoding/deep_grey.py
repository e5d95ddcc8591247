"""Grey pixels of more than 8 bits: what their numbers mean, and the same as 8 bits.

Pillow unpacks them as they stand in the file. Which number is white, whether 0 is white and whether
numbers have a sign is said by the file's header, or else told from the largest number. NumPy is
imported where it is needed: few pictures need it, and every decoder would load it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from PIL import Image, TiffImagePlugin

SIXTEEN_BITS = 65535.0
FLOAT_SCALES = ((1.0, 16.0), (255.0, 320.0), (SIXTEEN_BITS, 80_000.0))
"""Numbers of white in pictures of floats, each with the largest one that sharpening and highlights
may reach above it: on the next scale such a picture would be nearly black."""
INTEGER_SCALES = ((255.0, 255.0), (SIXTEEN_BITS, SIXTEEN_BITS))
_ZERO_IS_WHITE = 0
_UNSIGNED = (1,)


@dataclass(frozen=True)
class GreyScale:
    """What the numbers of a picture of one channel mean.

    Attributes:
        full: The number at the other end than 0, positive.
        zero_is_white: Whether 0 is white and `full` black.
        is_unsigned: Whether integers of 32 bits have no sign, although Pillow gives them one.
    """

    full: float
    zero_is_white: bool = False
    is_unsigned: bool = False


def grey_scale_of(image: Image.Image, strips: Iterable[Image.Image]) -> GreyScale | None:
    """Return the scale of a loaded picture, or None for modes of 8 bits.

    Args:
        image: Loaded.
        strips: Its parts; looked at where only the largest number tells.
    """
    is_short = image.mode.startswith("I;16")
    if not is_short and image.mode not in ("I", "F"):
        return None
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    zero_is_white = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == _ZERO_IS_WHITE
    if is_short:
        num_bits = tags.get(TiffImagePlugin.BITSPERSAMPLE, (16,))[0]
        return GreyScale(2.0**num_bits - 1, zero_is_white)
    if image.mode == "I" and image.format == "PPM":
        return GreyScale(SIXTEEN_BITS)  # Pillow brings the largest number of its header to this
    sample_format = tags.get(TiffImagePlugin.SAMPLEFORMAT, _UNSIGNED)
    is_unsigned = image.mode == "I" and bool(tags) and sample_format == _UNSIGNED
    highest = max(_highest(strip, is_unsigned) for strip in strips)
    scales = FLOAT_SCALES if image.mode == "F" else INTEGER_SCALES
    full = next((full for full, limit in scales if highest <= limit), highest)
    return GreyScale(full, zero_is_white, is_unsigned)


def to_eight_bits(strip: Image.Image, scale: GreyScale) -> tuple[Image.Image, Image.Image | None]:
    """Scale grey to [0, 255]; return it and, where a number stands for transparent, its opacity."""
    import numpy as np  # noqa: PLC0415

    values = np.asarray(strip)
    values = values.view(np.uint32) if scale.is_unsigned else values
    grey = np.clip(np.nan_to_num(values.astype(np.float32)) / np.float32(scale.full), 0.0, 1.0)
    grey = 1.0 - grey if scale.zero_is_white else grey
    pixels = Image.fromarray(np.round(grey * np.float32(255.0)).astype(np.uint8))
    transparent = strip.info.get("transparency")
    if not isinstance(transparent, int):
        return pixels, None
    return pixels, Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8))


def _highest(strip: Image.Image, is_unsigned: bool) -> float:
    """Return the largest number of a part that is one: neither infinite nor NaN."""
    import numpy as np  # noqa: PLC0415

    values = np.asarray(strip)
    values = values.view(np.uint32) if is_unsigned else values
    return float(np.nan_to_num(values, posinf=0.0, neginf=0.0).max())
