"""Broken EXIF costs no pixel, and its orientation counts where it can be read."""

import struct

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin
from support.picture_files import broken_exif, encoded, noise

from portrait_pipeline.decoding.orientation import read_orientation
from portrait_pipeline.pictures import decode_picture, decode_reduced

PICTURE = noise(64, 32)
UNREADABLE = (b"", b"Exif\x00\x00", b"Exif\x00\x00garbage", broken_exif(6)[:20], b"II*\x00" * 9)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_the_orientation_of_broken_exif_is_used(form: str, order: str) -> None:
    """With a rational and a directory that lead nowhere, the picture still comes upright."""
    plain = decode_picture(encoded(PICTURE, form))
    for orientation, turn in (
        (3, Image.Transpose.ROTATE_180),
        (6, Image.Transpose.ROTATE_270),
        (8, Image.Transpose.ROTATE_90),
    ):
        data = encoded(PICTURE, form, exif=broken_exif(orientation, order))
        assert np.array_equal(decode_picture(data), plain.transpose(turn))
        reduced = decode_reduced(data, "sideways", 16)
        assert (reduced.width_px, reduced.height_px) == plain.transpose(turn).size


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("exif", UNREADABLE)
def test_exif_that_says_nothing_costs_no_pixel(form: str, exif: bytes) -> None:
    """Empty, cut off or foreign EXIF leaves the picture as it lies."""
    data = encoded(PICTURE, form, exif=exif)
    assert np.array_equal(decode_picture(data), decode_picture(encoded(PICTURE, form)))


@pytest.mark.parametrize(("kind", "place"), [(4, 0x7FFFFFF0), (9, -16), (16, 2**63 + 5), (2, "x")])
def test_a_sideways_tiff_with_a_broken_directory_is_read(kind: int, place: int | str) -> None:
    """The tags of TIFF are its EXIF: a directory that leads nowhere costs no pixel."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x0112], tags.tagtype[0x8769] = 6, kind
    tags[0x8769] = place
    upright = decode_picture(encoded(PICTURE, "TIFF", tiffinfo=tags))
    assert np.array_equal(upright, PICTURE.transpose(Image.Transpose.ROTATE_270))


def test_a_sideways_avif_is_read() -> None:
    """AVIF turns by a property of its own, which Pillow writes into the EXIF."""
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode_picture(encoded(PICTURE, "AVIF", exif=exif)).size == (32, 64)


def test_a_sideways_avif_with_broken_exif_is_read() -> None:
    """The maker's name is a fraction, which Pillow cannot write back while it opens the file."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "a maker", 6
    data = encoded(PICTURE, "AVIF", exif=exif)
    order = "<" if b"II*\x00" in data else ">"
    text, fraction = (struct.pack(order + "HHI", 0x010F, *kind) for kind in ((2, 8), (5, 1)))
    assert text in data
    assert decode_picture(data.replace(text, fraction)).size == (32, 64)


@pytest.mark.parametrize(("exif", "expected"), [(broken_exif(8), 8), (broken_exif(6, ">"), 6)])
def test_one_tag_is_read_by_itself(exif: bytes, expected: int) -> None:
    """In both byte orders, whatever stands beside it; with or without its head."""
    assert read_orientation(exif) == expected
    assert read_orientation(exif.removeprefix(b"Exif\x00\x00")) == expected


@pytest.mark.parametrize("exif", [*UNREADABLE, broken_exif(0), broken_exif(9)])
def test_no_orientation_is_none(exif: bytes) -> None:
    """Nothing that can be read, and values that no orientation has, are none."""
    assert read_orientation(exif) is None
