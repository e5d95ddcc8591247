"""Which way up a picture is, read from EXIF that may be broken."""

from collections.abc import Callable, Iterator
from typing import Literal

from PIL import Image

ORIENTATION_TAG = 0x0112
TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a picture of each EXIF orientation upright; 1 and anything else leaves it."""
_INTEGERS = {1: 1, 3: 2, 4: 4}
"""TIFF's types that an orientation may have (byte, short, long), and their bytes."""


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation of an opened picture, 1 to 8; 1 where none can be read.

    Only this tag is read, by the entries of the first directory, so that no other broken tag
    matters. TIFF pictures are turned by Pillow itself, and count as upright.
    """
    if image.format == "TIFF":
        return 1
    exif = image.info.get("exif")
    found = read_orientation(exif) if isinstance(exif, bytes) else None
    return found or _from_other_metadata(image)


def read_orientation(exif: bytes) -> int | None:
    """Return the orientation that stands in EXIF data, or None where there is none."""
    tiff = exif.removeprefix(b"Exif\x00\x00")
    if tiff[:2] not in (b"II", b"MM"):
        return None
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"

    def number(place: int, size: int) -> int:
        return int.from_bytes(tiff[place : place + size], order)

    for place in _entries(number(4, 4), len(tiff), number):
        size = _INTEGERS.get(number(place + 2, 2))
        if number(place, 2) == ORIENTATION_TAG and size:
            value = number(place + 8, size)
            return value if 1 <= value <= 8 else None
    return None


def _entries(directory: int, length: int, number: Callable[[int, int], int]) -> Iterator[int]:
    """Yield where the entries of a directory begin; 12 bytes each, as many as are whole."""
    count = number(directory, 2)
    first = directory + 2
    yield from range(first, min(first + 12 * count, length - 11), 12)


def _from_other_metadata(image: Image.Image) -> int:
    """Ask Pillow, which also reads XMP and the text chunks of old PNG files."""
    try:
        value = image.getexif().get(ORIENTATION_TAG)
    except Exception:  # whatever a broken file raises: its pixels are whole
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def tolerate_broken_exif() -> None:
    """Let Pillow open and load pictures whose EXIF it cannot read or write; for whole processes.

    Its plugins re-write EXIF while they open AVIF and read all of it while they load TIFF.
    """
    write, read = Image.Exif.tobytes, Image.Exif.get_ifd

    def tobytes(self: Image.Exif, offset: int = 8) -> bytes:
        try:
            return write(self, offset)
        except Exception:  # any value may be one that cannot be written
            alone = Image.Exif()
            if ORIENTATION_TAG in self:
                alone[ORIENTATION_TAG] = self[ORIENTATION_TAG]
            return write(alone, offset)

    def get_ifd(self: Image.Exif, tag: int) -> dict[int, object]:
        try:
            return read(self, tag)
        except Exception:  # any directory may be broken
            return {}

    Image.Exif.tobytes = tobytes  # type: ignore[method-assign]
    Image.Exif.get_ifd = get_ifd  # type: ignore[method-assign]
