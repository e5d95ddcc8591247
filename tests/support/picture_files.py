"""Picture files of every format, written by hand where no library writes them."""

import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image

FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM")
PNG_START = b"\x89PNG\r\n\x1a\n"


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    """A picture of smooth noise, so that every format keeps its shape."""
    coarse = np.random.default_rng(seed).integers(0, 255, (4, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header(width: int, height: int, depth: int = 8, colour_type: int = 2) -> bytes:
    body = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return PNG_START + chunk(b"IHDR", body)


def png(
    size: tuple[int, int], depth: int, colour_type: int, rows: bytes, transparent: bytes = b""
) -> bytes:
    """A PNG of any depth; `rows` have their filter bytes already."""
    between = chunk(b"tRNS", transparent) if transparent else b""
    pixels = chunk(b"IDAT", zlib.compress(rows, 1))
    return png_header(*size, depth, colour_type) + between + pixels + chunk(b"IEND", b"")


def broken_exif(orientation: int, order: str = "<") -> bytes:
    """EXIF whose orientation can be read, among a name, a rational and a directory that cannot."""
    start = b"II*\x00" if order == "<" else b"MM\x00*"
    entries = struct.pack(order + "HHII", 0x010F, 2, 40, 0xFFFFFFF0)
    entries += struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    entries += struct.pack(order + "HHII", 0x9201, 10, 1, 0xFFFFFFF0)
    entries += struct.pack(order + "HHII", 0x8769, 4, 1, 0xFFFFFFF0)
    body = struct.pack(order + "IH", 8, 4) + entries + struct.pack(order + "I", 0xFFFFFFF0)
    return b"Exif\x00\x00" + start + body


def many_scans(count: int, size: tuple[int, int] = (64, 64)) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    jpeg = encoded(noise(*size), "JPEG", progressive=True)
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:last] + jpeg[last:-2] * count + jpeg[-2:]


def grey_tiff(
    values: np.ndarray, num_bits: int | None = None, zero_is_white: bool = False
) -> bytes:
    """A TIFF of one channel, its pixels as they are; 12 bits are packed."""
    height, width = values.shape
    body = values.astype(values.dtype.newbyteorder("<")).tobytes()
    if num_bits == 12:
        wide = values.reshape(-1, 2).astype(np.uint32)
        body = b"".join(int(one << 12 | two).to_bytes(3, "big") for one, two in wide)
    kinds = {"u": 1, "i": 2, "f": 3}
    entries = {
        256: width,
        257: height,
        258: num_bits or 8 * values.itemsize,
        259: 1,  # not compressed
        262: 0 if zero_is_white else 1,
        273: 8 + 2 + 12 * 10 + 4,  # where the pixels begin
        277: 1,
        278: height,
        279: len(body),
        339: kinds[values.dtype.kind],
    }
    rows = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries.items())
    return b"II*\x00" + struct.pack("<IH", 8, len(entries)) + rows + bytes(4) + body
