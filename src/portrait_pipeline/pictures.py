"""Decodes any picture file to upright 8-bit RGB, or says why it cannot.

Needs no PyTorch, so that an exported model can be used without it.
"""

import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from portrait_pipeline.errors import PortraitPipelineError

MAX_PICTURE_PIXELS = 89_478_485
"""Pictures with more pixels are refused before they are unpacked; Pillow's own limit, 268 MB."""

ListingFault = Literal["link out of the folder", "broken link", "not a file"]
"""Why a file is not opened: known before it is read, from the folder that it lies in."""
PictureFault = (
    ListingFault | Literal["empty", "not an image", "truncated", "unreadable", "too large"]
)

# Between one and two times its limit Pillow only warns. Turned into an error once, here, because
# warnings.catch_warnings is not safe in the threads that read pictures.
warnings.simplefilter("error", Image.DecompressionBombWarning)


class PictureError(PortraitPipelineError):
    """A file that cannot be read as a picture; `fault` says why in two words."""

    def __init__(self, name: str, fault: PictureFault, detail: str) -> None:
        super().__init__(f"{name} cannot be read as a picture: {fault} ({detail})")
        self.fault: PictureFault = fault


def read_picture(path: Path | str) -> Image.Image:
    """Read any picture file as 8-bit RGB, upright.

    See `decode_picture` for the conversion of its pixels.

    Raises:
        PictureError: if the file cannot be read; its `fault` says why.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PictureError(path.name, "unreadable", error.strerror or str(error)) from error
    return decode_picture(data, path.name)


@dataclass(frozen=True)
class ReducedPicture:
    """A reduced picture, and the size of the whole picture.

    Attributes:
        image: 8-bit RGB, upright.
        width_px: Width of the whole picture, upright.
        height_px: Height of the whole picture, upright.
    """

    image: Image.Image
    width_px: int
    height_px: int

    @property
    def scale(self) -> float:
        """How large the image is in units of the whole picture, in (0, 1]."""
        return max(self.image.size) / max(self.width_px, self.height_px)


def decode_picture(data: bytes, name: str = "picture") -> Image.Image:
    """Decode the bytes of a picture file to 8-bit RGB, upright.

    The EXIF orientation is applied, transparency becomes white, 16-bit grey is scaled to 8 bits
    (not clipped), and palette, grey and CMYK become RGB. The first frame of an animation counts.

    Args:
        data: The content of the file.
        name: Name of the picture in errors.

    Raises:
        PictureError: if the bytes are empty, no image, cut off, broken, or hold more than
            `MAX_PICTURE_PIXELS` pixels; its `fault` says which.
    """
    return _decode(data, name, None)[0]


def decode_reduced(data: bytes, name: str, longest_px: int) -> ReducedPicture:
    """Decode the bytes of a picture file to RGB, its longer edge at most `longest_px`.

    A large JPEG is never decoded whole: its decoder halves it as often as possible.

    Raises:
        PictureError: as `decode_picture` does.
    """
    image, (width, height) = _decode(data, name, longest_px)
    scale = longest_px / max(width, height)
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    return ReducedPicture(image, width, height)


def _decode(data: bytes, name: str, draft_px: int | None) -> tuple[Image.Image, tuple[int, int]]:
    """Return the picture, upright, and its whole size; a JPEG may be reduced."""
    if not data:
        raise PictureError(name, "empty", "0 bytes")
    try:
        with Image.open(BytesIO(data)) as opened:
            _refuse_bombs(opened, name)
            width, height = opened.size
            if draft_px is not None:
                opened.draft(None, (draft_px, draft_px))
            opened.load()
            upright = _upright(opened)
            # turned by a quarter when the longer edge has changed its place
            turned = (upright.width > upright.height) != (opened.width > opened.height)
            return _to_rgb(upright), (height, width) if turned else (width, height)
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(name, "too large", str(error)) from error
    except UnidentifiedImageError as error:
        raise PictureError(name, "not an image", f"{len(data)} bytes of no known format") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError) as error:
        fault: PictureFault = "truncated" if "truncated" in str(error).lower() else "unreadable"
        raise PictureError(name, fault, str(error)) from error


def _refuse_bombs(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > MAX_PICTURE_PIXELS:
        detail = f"{width}x{height} pixels, expected at most {MAX_PICTURE_PIXELS}"
        raise PictureError(name, "too large", detail)


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except (SyntaxError, ValueError, TypeError, KeyError, OSError):
        return image.copy()  # broken EXIF has no orientation; the pixels are intact


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_to_eight_bits(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        layers = image.convert("RGBA")
        white = Image.new("RGBA", layers.size, "white")
        return Image.alpha_composite(white, layers).convert("RGB")
    return image.convert("RGB")


def _to_eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale grey values from their own depth (unit floats, 8, 16 or 32 bits) to [0, 255]."""
    grey = np.nan_to_num(values.astype(np.float64))
    highest = float(grey.max())
    if values.dtype == np.uint16:
        full_scale = 65535.0
    else:
        full_scales = [1.0] if values.dtype.kind == "f" else []
        full_scales += [255.0, 65535.0]
        full_scale = next((scale for scale in full_scales if highest <= scale), highest)
    return np.round(np.clip(grey / full_scale, 0.0, 1.0) * 255.0).astype(np.uint8)
