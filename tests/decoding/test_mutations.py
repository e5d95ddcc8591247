"""A few thousand mutated files: pictures or `PictureError`, and nothing else."""

import numpy as np
import pytest
from support.picture_files import FORMATS, broken_exif, encoded, noise, png

from portrait_pipeline.decoding.colour import srgb_profile
from portrait_pipeline.decoding.processes import PictureLimits
from portrait_pipeline.pictures import PictureError, decode_picture, decode_reduced

PER_SEED_FILE = 130
HEADER_BYTES = 120
LIMITS = PictureLimits(pixels=500_000, file_bytes=1_000_000, seconds=2)


def seed_files() -> dict[str, bytes]:
    """Small files of every format, and some with metadata, palettes, interlacing and depth."""
    picture = noise(40, 28)
    files = {form: encoded(picture, form) for form in FORMATS}
    exif, profile = broken_exif(6), srgb_profile()
    files["JPEG with metadata"] = encoded(picture, "JPEG", exif=exif, icc_profile=profile)
    files["JPEG progressive"] = encoded(picture, "JPEG", progressive=True)
    files["JPEG in CMYK"] = encoded(picture.convert("CMYK"), "JPEG")
    files["PNG with metadata"] = encoded(picture, "PNG", exif=exif, icc_profile=profile)
    files["PNG of a palette"] = encoded(picture.quantize(16), "PNG", transparency=3)
    rows = bytes((1 + 2 * 20) * 20)
    files["PNG of 16 bits"] = png((20, 20), 16, 0, rows, b"\x00\x05")
    files["WebP with metadata"] = encoded(picture, "WEBP", exif=exif, icc_profile=profile)
    files["WebP without loss"] = encoded(picture.convert("RGBA"), "WEBP", lossless=True)
    files["AVIF with metadata"] = encoded(picture, "AVIF", icc_profile=profile)
    for compression in ("tiff_lzw", "tiff_deflate", "jpeg", "packbits"):
        files[compression] = encoded(picture, "TIFF", compression=compression)
    files["GIF of frames"] = encoded(picture, "GIF", save_all=True, append_images=[noise(40, 28)])
    files["PGM"] = encoded(picture.convert("L"), "PPM")
    return files


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Change bytes of the header or of the body, cut, repeat, drop or insert a piece."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 6))):
        limit = min(len(changed), HEADER_BYTES if rng.random() < 0.5 else len(changed))
        place = int(rng.integers(0, max(1, limit)))
        piece = changed[place : place + int(rng.integers(1, 9))]
        match int(rng.integers(0, 6)):
            case 0:
                del changed[place : place + len(piece)]
            case 1:
                changed[place:place] = piece * int(rng.integers(1, 40))
            case 2:
                del changed[max(16, place) :]
            case 3:
                changed[place : place + len(piece)] = b"\xff" * len(piece)
            case _:
                changed[place : place + len(piece)] = rng.bytes(len(piece))
    return bytes(changed)


@pytest.mark.parametrize("name", seed_files())
def test_mutated_files_are_pictures_or_refused(name: str) -> None:
    """No mutation raises anything else, ends the program, or makes a picture beyond the limit.

    Memory and time are bounded by the decoder's process, whose ends count as refusals.
    """
    rng = np.random.default_rng(len(name))
    original = seed_files()[name]
    refused = 0
    for number in range(PER_SEED_FILE):
        data = mutated(original, rng)
        try:
            picture = (
                decode_picture(data, name, LIMITS)
                if number % 2
                else decode_reduced(data, name, 24, LIMITS).image
            )
        except PictureError:
            refused += 1
            continue
        assert picture.mode == "RGB"
        assert picture.width * picture.height <= LIMITS.pixels
    assert refused > 0
