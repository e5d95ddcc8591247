"""Pixels of every depth, transparency and colour space come out as the eye sees them."""

import struct
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms
from support.picture_files import encoded, noise, png

from portrait_pipeline.decoding.colour import srgb_profile
from portrait_pipeline.pictures import decode_picture

DISPLAY_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE_RGB = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060))
SRGB = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
D65 = (0.3127, 0.3290)


def grey_of(data: bytes) -> list[int]:
    return np.asarray(decode_picture(data))[0, :, 0].tolist()


@pytest.mark.parametrize(
    ("depth", "values", "transparent", "expected"),
    [
        (16, [0, 1000, 30_000, 65_535], 1000, [0, 255, 117, 255]),
        (16, [0, 1000, 30_000, 65_535], 0, [255, 4, 117, 255]),
        (8, [0, 5, 100, 255], 5, [0, 255, 100, 255]),
    ],
)
def test_a_transparent_value_is_white_and_no_other(
    depth: int, values: list[int], transparent: int, expected: list[int]
) -> None:
    """Grey PNG of 8 and 16 bits: the transparent value turns white, the others keep theirs."""
    rows = b"\x00" + np.array(values, dtype=f">u{depth // 8}").tobytes()
    data = png((4, 1), depth, 0, rows, struct.pack(">H", transparent))
    assert np.abs(np.array(grey_of(data)) - expected).max() <= 1


@pytest.mark.parametrize(("depth", "row"), [(2, bytes([0b00011011])), (4, bytes([0x05, 0xAF]))])
def test_transparent_values_of_few_bits_are_scaled_like_their_pixels(
    depth: int, row: bytes
) -> None:
    """Of four greys in 2 or 4 bits, the second is transparent."""
    data = png((4, 1), depth, 0, b"\x00" + row, struct.pack(">H", 1 if depth == 2 else 5))
    assert grey_of(data) == [0, 255, 170, 255]


def test_a_transparent_colour_of_sixteen_bits_is_white() -> None:
    """The same for colours: nothing turns black."""
    colours = np.array([0, 30_000, 65_535], dtype=">u2").repeat(3)
    rows = b"\x00" + colours.tobytes()
    transparent = struct.pack(">HHH", 30_000, 30_000, 30_000)
    assert grey_of(png((3, 1), 16, 2, rows, transparent)) == [0, 255, 255]


@pytest.mark.parametrize("primaries", [DISPLAY_P3, ADOBE_RGB])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_other_colour_spaces_are_converted(
    primaries: tuple[tuple[float, float], ...], form: str
) -> None:
    """The same light comes out, whatever space a file's numbers are in."""
    linear = np.array([0.60, 0.10, 0.05])
    there = np.linalg.solve(_matrix(primaries), _matrix(SRGB) @ linear)
    colour = tuple(int(value) for value in np.round(_curve(there) * 255))
    image = Image.new("RGB", (16, 16), colour)
    options = {"quality": 100} if form in ("JPEG", "AVIF") else {}
    options |= {"lossless": True} if form == "WEBP" else {}
    data = encoded(image, form, icc_profile=_profile(primaries), **options)
    found = np.asarray(decode_picture(data))[8, 8].astype(int)
    assert np.abs(found - np.round(_curve(linear) * 255)).max() <= 3
    assert np.abs(np.array(colour) - np.round(_curve(linear) * 255)).max() > 5


def test_srgb_under_any_name_changes_nothing() -> None:
    """A picture with an sRGB profile is read bit for bit as one without."""
    picture = noise(64, 48)
    rounded = ((0.641, 0.330), *SRGB[1:])  # as many editors write it: it would move colours by 2
    for profile in (srgb_profile(), _profile(SRGB), _profile(rounded)):
        assert np.array_equal(decode_picture(encoded(picture, icc_profile=profile)), picture)


@pytest.mark.parametrize("profile", [b"no profile", srgb_profile()[:200], b"\x00" * 500])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "P", "RGBA"])
def test_a_broken_profile_costs_no_pixel(profile: bytes, mode: str) -> None:
    """Profiles that cannot be read say nothing; nor do those of another mode."""
    picture = noise(32, 32).convert(mode)
    plain = decode_picture(encoded(picture, "TIFF"))
    assert np.array_equal(decode_picture(encoded(picture, "TIFF", icc_profile=profile)), plain)


def test_colours_below_a_transparency_are_converted() -> None:
    """A half-transparent colour of Display P3 is converted before it is laid on white."""
    image = Image.new("RGBA", (4, 4), (200, 60, 40, 255))
    opaque = encoded(image.convert("RGB"), icc_profile=_profile(DISPLAY_P3))
    layered = encoded(image, icc_profile=_profile(DISPLAY_P3))
    assert np.array_equal(decode_picture(layered), decode_picture(opaque))


def test_the_profile_that_is_written_is_srgb_and_always_the_same() -> None:
    """Its bytes do not change from call to call, and Pillow reads it as sRGB."""
    srgb_profile.cache_clear()
    first = srgb_profile()
    srgb_profile.cache_clear()
    assert srgb_profile() == first
    opened = ImageCms.ImageCmsProfile(BytesIO(first))
    assert "sRGB" in ImageCms.getProfileDescription(opened)


def _matrix(primaries: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Linear RGB of these primaries, white D65, to XYZ."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    x, y = D65
    white = np.array([x / y, 1.0, (1 - x - y) / y])
    return columns * np.linalg.solve(columns, white)


def _curve(linear: np.ndarray) -> np.ndarray:
    """SRGB's transfer curve."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def _profile(primaries: tuple[tuple[float, float], ...]) -> bytes:
    """A matrix profile with sRGB's curve, built from its tags."""
    bradford = np.array(
        [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
    )
    x, y = D65
    source, target = (
        bradford @ np.array(white) for white in ((x / y, 1, (1 - x - y) / y), (0.9642, 1, 0.8249))
    )
    adapted = np.linalg.inv(bradford) @ np.diag(target / source) @ bradford @ _matrix(primaries)
    curve = b"para\x00\x00\x00\x00\x00\x03\x00\x00" + b"".join(
        _fixed(value) for value in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    )
    tags = {
        name: b"XYZ \x00\x00\x00\x00" + b"".join(_fixed(value) for value in column)
        for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), adapted.T, strict=True)
    }
    tags[b"wtpt"] = b"XYZ \x00\x00\x00\x00" + b"".join(map(_fixed, (0.9642, 1.0, 0.8249)))
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return _assembled(tags)


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _assembled(tags: dict[bytes, bytes]) -> bytes:
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4sI", start + len(body), b"lcms", 0x04300000) + b"mntrRGB XYZ "
    header += bytes(12) + b"acsp" + bytes(28) + b"".join(map(_fixed, (0.9642, 1.0, 0.8249)))
    return header.ljust(128, b"\x00") + table + body
