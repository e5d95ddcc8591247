"""The one decoder: the bytes of any picture file as upright 8-bit sRGB, within limits."""

import warnings
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO

from PIL import Image, ImageFile, UnidentifiedImageError

from portrait_pipeline.decoding.colour import fit_transparency, to_srgb
from portrait_pipeline.decoding.faults import DecodingError, DecodingFault
from portrait_pipeline.decoding.jpeg_scans import MAX_JPEG_SCANS, START, count_scans
from portrait_pipeline.decoding.orientation import TRANSPOSES, orientation_of

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM")
"""What is read: nothing that is a document, and nothing that starts another program. JPEG's decoder
reads MPO as well."""
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs")
_HEIF_BRANDS = (b"mif1", b"msf1")


@dataclass(frozen=True)
class Decoded:
    """A decoded picture.

    Attributes:
        image: 8-bit RGB, upright; whole, or no larger than was asked.
        width_px: Width of the whole picture, upright.
        height_px: Height of the whole picture, upright.
    """

    image: Image.Image
    width_px: int
    height_px: int


def decode(data: bytes, max_pixels: int, longest_px: int | None = None) -> Decoded:
    """Decode a picture file; whatever its decoder raises becomes a `DecodingError`.

    The EXIF orientation is applied, transparency is laid on white, 16-bit grey is scaled to 8 bits
    (not clipped), other colour spaces are converted to sRGB, and palette, grey and CMYK become RGB.
    Of an animation the first frame is taken.

    Args:
        data: The content of the file.
        max_pixels: Pictures with more pixels are refused before any of them is unpacked.
        longest_px: Reduce the picture so that its longer edge has at most so many pixels. A JPEG is
            then never unpacked whole: its decoder halves it as often as it can.

    Raises:
        DecodingError: if it cannot be decoded; its `fault` says why.
    """
    if not data:
        raise DecodingError("empty", "0 bytes")
    _refuse_many_scans(data)
    try:
        return _decode(data, max_pixels, longest_px)
    except DecodingError:
        raise
    except UnidentifiedImageError:
        raise _unknown(data) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DecodingError("too large", str(error)) from error
    except MemoryError as error:
        raise DecodingError("too costly", "it needs more memory than is allowed") from error
    except Exception as error:  # other people's decoders: each raises what it likes
        fault: DecodingFault = "truncated" if "truncated" in str(error).lower() else "unreadable"
        raise DecodingError(fault, str(error) or type(error).__name__) from error


def _decode(data: bytes, max_pixels: int, longest_px: int | None) -> Decoded:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about metadata that is not used
        opened = Image.open(BytesIO(data), formats=_formats(data))
        _refuse_bombs(opened.size, max_pixels)
        width, height = opened.size
        if longest_px is not None:
            opened.draft(None, (longest_px, longest_px))
        fit_transparency(opened)
        opened.load()
        _refuse_bombs(opened.size, max_pixels)
        orientation = orientation_of(opened)  # PNG may say it behind its pixels
        image = _turned(to_srgb(opened), orientation)
    del opened
    if orientation >= 5:
        width, height = height, width
    return Decoded(_reduced(image, (width, height), longest_px), width, height)


def upright_in_srgb(image: Image.Image) -> Image.Image:
    """Return a loaded picture of any mode as it is to be seen: sRGB, turned as its EXIF says."""
    return _turned(to_srgb(image), orientation_of(image))


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(TRANSPOSES[orientation]) if orientation in TRANSPOSES else image


def _reduced(image: Image.Image, whole: tuple[int, int], longest_px: int | None) -> Image.Image:
    scale = 1.0 if longest_px is None else longest_px / max(whole)
    if scale >= 1.0:
        return image
    width, height = (max(1, round(edge * scale)) for edge in whole)
    return image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)


def _refuse_bombs(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise DecodingError("too large", f"{width}x{height} pixels, expected at most {max_pixels}")


def _refuse_many_scans(data: bytes) -> None:
    if data.startswith(START) and (scans := count_scans(data)) > MAX_JPEG_SCANS:
        raise DecodingError("too costly", f"{scans} scans, expected at most {MAX_JPEG_SCANS}")


def _formats(data: bytes) -> tuple[str, ...]:
    if not is_heic(data):
        return FORMATS
    try:
        plugin = import_module("pillow_heif")  # no dependency: used where it is installed
    except ImportError:
        return FORMATS
    plugin.register_heif_opener()
    return (*FORMATS, "HEIF")


def is_heic(data: bytes) -> bool:
    """Tell from the brands in its first box whether a file is HEIC, the format of iPhones."""
    if data[4:8] != b"ftyp":
        return False
    length = min(int.from_bytes(data[:4], "big"), 256)
    brands = [data[place : place + 4] for place in (8, *range(16, length, 4))]
    if any(brand in (b"avif", b"avis") for brand in brands):
        return False
    return brands[0] in _HEIC_BRANDS or (
        brands[0] in _HEIF_BRANDS and any(brand in _HEIC_BRANDS for brand in brands)
    )


def _unknown(data: bytes) -> DecodingError:
    if is_heic(data):
        return DecodingError("HEIC", "install pillow-heif to read it, or save it as JPEG")
    start = data[:16].ljust(16, b"\0")
    for name in FORMATS:
        begins_so = Image.OPEN[name][1]
        if begins_so and begins_so(start):
            return DecodingError("unreadable", f"it begins as {name}, but broken or of a rare kind")
    detail = f"{len(data)} bytes of no format that is read: {', '.join(FORMATS)}"
    return DecodingError("not an image", detail)


def prepare_process() -> None:
    """Set Pillow up for a process that does nothing but decode."""
    # our own limit is checked before pixels are unpacked; Pillow's would refuse by another number
    Image.MAX_IMAGE_PIXELS = None
    ImageFile.LOAD_TRUNCATED_IMAGES = False
