"""Pixels of every mode and depth as 8-bit sRGB, a strip at a time.

What Pillow unpacks takes at most 4 bytes a pixel, and so does the result; beside these two there is
only one strip, whatever the mode.
"""

import io
from collections.abc import Iterator
from functools import lru_cache
from itertools import product

from PIL import Image, ImageCms, ImageFile

from portrait_pipeline.decoding.deep_grey import GreyScale, grey_scale_of, to_eight_bits

STRIP_PIXELS = 1 << 20
SRGB_TOLERANCE = 3
"""Profiles that move no colour by more, of 255, are sRGB under another name."""
_DATE_IN_PROFILE = slice(24, 36)

Box = tuple[int, int, int, int]


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """Return an sRGB profile to be written with pixels; the same bytes every time."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_DATE_IN_PROFILE] = bytes([7, 232, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0])  # 1 January 2024
    return bytes(profile)


def to_srgb(image: Image.Image) -> Image.Image:
    """Return a loaded picture as 8-bit RGB in sRGB, transparency laid on white."""
    scale = grey_scale_of(image, map(image.crop, strips(image.size)))
    profile = image.info.get("icc_profile")
    if scale is None and image.mode == "RGB" and not image.has_transparency_data and not profile:
        return image
    result = Image.new("RGB", image.size)
    for box in strips(image.size):
        strip = image.crop(box)
        strip.info = image.info
        result.paste(_strip_to_srgb(strip, profile, scale), box)
    return result


def strips(size: tuple[int, int]) -> Iterator[Box]:
    """Yield boxes of whole rows, about a million pixels each, from top to bottom."""
    width, height = size
    step = max(1, STRIP_PIXELS // max(1, width))
    for top in range(0, height, step):
        yield 0, top, width, min(height, top + step)


def fit_transparency(image: ImageFile.ImageFile) -> None:
    """Bring the transparent value of a PNG, before it is loaded, to the depth of its pixels.

    Pillow scales pixels of 2, 4 and 16 bits to 8 and leaves the value as it stands in the file.
    """
    value = image.info.get("transparency")
    raw_mode = str(image.tile[0][3]) if image.format == "PNG" and image.tile else ""
    if isinstance(value, tuple) and raw_mode.startswith("RGB;16"):
        image.info["transparency"] = tuple(part >> 8 for part in value)
    elif isinstance(value, int) and raw_mode in ("1", "L;2", "L;4"):
        image.info["transparency"] = value * {"1": 255, "L;2": 85, "L;4": 17}[raw_mode]


def _strip_to_srgb(strip: Image.Image, profile: object, scale: GreyScale | None) -> Image.Image:
    alpha = None
    if scale is not None:
        strip, alpha = to_eight_bits(strip, scale)
    elif strip.has_transparency_data:
        if strip.mode == "1":
            transparency = strip.info.get("transparency")
            strip = strip.convert("L")
            strip.info["transparency"] = transparency
        layers = strip.convert("RGBA")
        alpha = layers.getchannel("A")
        strip = layers.convert("L" if strip.mode in ("L", "LA") else "RGB")
    colours = _converted(strip, profile)
    if alpha is None:
        return colours
    colours.putalpha(alpha)
    white = Image.new("RGBA", colours.size, "white")
    return Image.alpha_composite(white, colours).convert("RGB")


def _converted(strip: Image.Image, profile: object) -> Image.Image:
    """Follow the profile, where there is one that fits and says anything but sRGB."""
    if strip.mode not in ("L", "RGB", "CMYK"):
        strip = strip.convert("L" if strip.mode == "1" else "RGB")
    transform = transform_to_srgb(profile, strip.mode) if isinstance(profile, bytes) else None
    if transform is None:
        return strip.convert("RGB")
    return ImageCms.applyTransform(strip, transform) or strip.convert("RGB")


@lru_cache(maxsize=16)
def transform_to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return what turns colours of a profile into sRGB; None where nothing is to be done.

    A profile that is broken or of another mode says nothing.
    """
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        probe = _probe(mode)
        after = ImageCms.applyTransform(probe, transform)
    except Exception:  # whatever a broken profile raises: the pixels are whole
        return None
    if after is None:
        return None
    pairs = zip(probe.convert("RGB").tobytes(), after.tobytes(), strict=True)
    return transform if any(abs(old - new) > SRGB_TOLERANCE for old, new in pairs) else None


def _probe(mode: str) -> Image.Image:
    """Return a picture of colours from all over the mode's range."""
    levels = (0, 32, 64, 128, 192, 255)
    pixels = bytes(value for colour in product(levels, repeat=len(mode)) for value in colour)
    return Image.frombytes(mode, (len(levels) ** len(mode), 1), pixels)
