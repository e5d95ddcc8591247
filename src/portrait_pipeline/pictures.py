"""Decodes any picture file to upright 8-bit sRGB, or says why it cannot.

Files are decoded by processes of their own (`decoding`), within limits on memory and time, so that
no file can do more than be refused. Needs no PyTorch, so that an exported model can be used without
it.
"""

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Literal

from PIL import Image

from portrait_pipeline.decoding.decode import Decoded
from portrait_pipeline.decoding.faults import DecodingError, DecodingFault
from portrait_pipeline.decoding.processes import PictureLimits, decoder_pool
from portrait_pipeline.errors import PortraitPipelineError

MAX_PICTURE_PIXELS = 89_478_485
"""Pictures with more pixels are refused before they are unpacked; Pillow's own limit."""
MAX_FILE_BYTES = 256_000_000
"""Larger files are not read."""
MAX_DECODING_SECONDS = 20
"""Of the processor: several times what the largest picture needs that is allowed."""
LIMITS = PictureLimits(MAX_PICTURE_PIXELS, MAX_FILE_BYTES, MAX_DECODING_SECONDS)


ListingFault = Literal["link out of the folder", "broken link", "not a file"]
"""Why a file is not opened: known before it is read, from the folder that it lies in."""
PictureFault = ListingFault | DecodingFault


class PictureError(PortraitPipelineError):
    """A file that cannot be read as a picture.

    Args:
        name: What the file is called.
        fault: Why it cannot be read, in two words.
        detail: Why, more exactly; may be empty.

    Attributes:
        reason: Both.
    """

    def __init__(self, name: str, fault: PictureFault, detail: str) -> None:
        self.reason = f"{fault} ({detail})" if detail else fault
        super().__init__(f"{name} cannot be read as a picture: {self.reason}")
        self.fault: PictureFault = fault
        self.detail = detail


@dataclass(frozen=True)
class ReducedPicture:
    """A picture no larger than is needed, and the size that it really has.

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


def read_picture(path: Path | str, limits: PictureLimits = LIMITS) -> Image.Image:
    """Read any picture file as 8-bit sRGB, upright.

    See `decode_picture` for what is done to its pixels.

    Raises:
        PictureError: if the file cannot be read; its `fault` says why.
    """
    path = Path(path)
    return decode_picture(read_file(path, limits), path.name, limits)


def decode_picture(
    data: bytes, name: str = "picture", limits: PictureLimits = LIMITS
) -> Image.Image:
    """Turn the bytes of a picture file into 8-bit sRGB, upright.

    The EXIF orientation is applied, transparency is laid on white, 16-bit grey is scaled to 8 bits
    (not clipped), other colour spaces are converted, and palette, grey and CMYK become RGB. Of an
    animation the first frame is taken.

    Args:
        data: The content of the file.
        name: What to call the picture in an error.
        limits: What the picture may cost.

    Raises:
        PictureError: if no picture can be decoded within the limits; its `fault` says why.
    """
    return _decode(data, name, limits, None).image


def decode_reduced(
    data: bytes, name: str, longest_px: int, limits: PictureLimits = LIMITS
) -> ReducedPicture:
    """Turn the bytes of a picture file into sRGB, its longer edge at most `longest_px`.

    A large JPEG is never unpacked whole: its decoder halves it on the way as often as it can.

    Raises:
        PictureError: as `decode_picture` does.
    """
    decoded = _decode(data, name, limits, longest_px)
    return ReducedPicture(decoded.image, decoded.width_px, decoded.height_px)


def read_file(path: Path, limits: PictureLimits = LIMITS) -> bytes:
    """Read a file that may be a picture.

    Raises:
        PictureError: as `open_file` does.
    """
    with open_file(path, limits) as file:
        try:
            data = file.read(limits.file_bytes + 1)
        except OSError as error:
            raise PictureError(path.name, "unreadable", error.strerror or str(error)) from error
    _refuse_large(path, len(data), limits)  # it may have grown
    return data


def open_file(path: Path, limits: PictureLimits = LIMITS) -> BufferedReader:
    """Open a file that may be a picture: a regular file, no larger than is allowed.

    Raises:
        PictureError: if it is a folder, a pipe or a device, too large, or cannot be opened.
    """
    # O_NONBLOCK: a pipe that nobody writes into would be waited for
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PictureError(path.name, "unreadable", reason) from error
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            kind = "a folder" if stat.S_ISDIR(state.st_mode) else "a pipe or a device"
            raise PictureError(path.name, "not a file", kind)
        _refuse_large(path, state.st_size, limits)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        with suppress(OSError):
            os.close(descriptor)
        raise


def _refuse_large(path: Path, num_bytes: int, limits: PictureLimits) -> None:
    if num_bytes > limits.file_bytes:
        detail = f"{num_bytes / 1e6:.0f} MB, expected at most {limits.file_bytes / 1e6:.0f} MB"
        raise PictureError(path.name, "too large", detail)


def _decode(data: bytes, name: str, limits: PictureLimits, longest_px: int | None) -> Decoded:
    if len(data) > limits.file_bytes:
        _refuse_large(Path(name), len(data), limits)
    try:
        return decoder_pool().decode(data, limits, longest_px)
    except DecodingError as error:
        raise PictureError(name, error.fault, error.detail) from error
