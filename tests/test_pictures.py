"""Any file is read right or refused with the reason."""

import errno
import io
import os
import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from portrait_pipeline.decoding.processes import PictureLimits
from portrait_pipeline.pictures import (
    PictureError,
    decode_picture,
    decode_reduced,
    open_file,
    read_file,
    read_picture,
)

GRADIENT = np.linspace(0, 255, 48 * 32).reshape(32, 48).astype(np.uint8)


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def fault_of(data: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        decode_picture(data)
    return caught.value.fault


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_out_upright(orientation: int) -> None:
    """A picture stored in any of the eight EXIF orientations is read as it was meant."""
    upright = Image.fromarray(np.stack([GRADIENT, GRADIENT[::-1], GRADIENT[:, ::-1]], axis=2))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(stored, exif=exif)
    assert np.array_equal(decode_picture(data), upright)
    reduced = decode_reduced(data, "picture", 16)
    assert (reduced.width_px, reduced.height_px) == upright.size
    assert reduced.image.size == (16, 11)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_becomes_rgb_of_the_same_size(mode: str) -> None:
    """Whatever the file holds, 8-bit RGB of its size comes out."""
    grey = Image.fromarray(GRADIENT)
    if mode == "I;16":
        image = Image.fromarray(GRADIENT.astype(np.uint16) * 257)
    else:
        image = grey.convert("RGB").convert(mode)
    picture = decode_picture(encoded(image, "TIFF"))
    assert (picture.mode, picture.size) == ("RGB", grey.size)


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    """A 16-bit ramp becomes the same ramp in 8 bits, to within rounding."""
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(4, axis=0)
    grey = np.asarray(decode_picture(encoded(Image.fromarray(ramp))))[0, :, 0]
    assert np.abs(grey.astype(int) - np.arange(256)).max() <= 1


def test_floats_keep_their_own_scale() -> None:
    """Float pictures are read as unit values or as 8-bit values, by their range."""
    unit = np.linspace(0, 1, 256, dtype=np.float32)[None].repeat(4, axis=0)
    for values in (unit, unit * 255):
        grey = np.asarray(decode_picture(encoded(Image.fromarray(values), "TIFF")))[0, :, 0]
        assert np.array_equal(grey, np.arange(256))


def test_transparency_is_white() -> None:
    """What cannot be seen through is kept, what can is white, half of it half."""
    pixels = np.zeros((1, 3, 4), dtype=np.uint8)
    pixels[0, :, 3] = (255, 0, 128)
    colours = np.asarray(decode_picture(encoded(Image.fromarray(pixels))))[0, :, 0]
    assert np.abs(colours.astype(int) - (0, 255, 127)).max() <= 1


def test_cmyk_black_and_white_stay(tmp_path: Path) -> None:
    """No ink is white and full ink is black: CMYK is not inverted."""
    ink = np.zeros((16, 32, 4), dtype=np.uint8)
    ink[:, 16:, 3] = 255
    file = tmp_path / "print.jpg"
    Image.frombytes("CMYK", (32, 16), ink.tobytes()).save(file, quality=95)
    picture = np.asarray(read_picture(file))
    assert picture[8, 2].min() > 245
    assert picture[8, 29].max() < 10


def test_a_file_says_what_is_wrong_with_it() -> None:
    """Empty, foreign, cut off and oversized files are told apart, before anything is unpacked."""
    whole = encoded(
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)), "JPEG"
    )
    assert fault_of(b"") == "empty"
    assert fault_of(b"not a picture at all") == "not an image"
    assert fault_of(whole[: len(whole) * 6 // 10]) == "truncated"
    assert fault_of(_bomb(20_000)) == "too large"
    assert fault_of(_bomb(10_000)) == "too large"


def test_a_broken_png_is_unreadable() -> None:
    """A PNG whose pixels are garbage is unreadable, not a black picture."""
    header = _png_header(32, 32)
    assert (
        fault_of(header + _chunk(b"IDAT", b"garbage" * 20) + _chunk(b"IEND", b"")) == "unreadable"
    )


def test_the_size_of_a_file_is_limited_however_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In memory, on the disk, and where it grows after it was opened: it is not read to its end."""
    limits = PictureLimits(pixels=10_000, file_bytes=100, seconds=1)
    file = tmp_path / "grows.png"
    file.write_bytes(bytes(101))
    with pytest.raises(PictureError, match="too large"):
        decode_picture(bytes(101), limits=limits)
    with pytest.raises(PictureError, match="too large"):
        open_file(file, limits)
    opened = os.fstat
    monkeypatch.setattr(os, "fstat", lambda place: os.stat_result((*opened(place)[:6], 5, 0, 0, 0)))
    with pytest.raises(PictureError, match="too large"):
        read_file(file, limits)


def test_a_disk_that_cannot_read_is_a_fault_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system says is the reason."""

    class Broken(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    (tmp_path / "a.png").write_bytes(b"x")
    monkeypatch.setattr("portrait_pipeline.pictures.open_file", lambda *_: Broken())
    with pytest.raises(PictureError, match=r"unreadable \(Input/output error\)"):
        read_picture(tmp_path / "a.png")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A path that leads nowhere is refused in one sentence that names the file."""
    with pytest.raises(PictureError, match=r"gone\.jpg cannot be read as a picture: unreadable"):
        read_picture(tmp_path / "gone.jpg")


def test_a_large_jpeg_is_reduced_without_being_unpacked() -> None:
    """A reduced picture keeps its shape, knows its true size, and is no larger than asked."""
    large = Image.fromarray(GRADIENT).resize((1203, 801)).convert("RGB")
    reduced = decode_reduced(encoded(large, "JPEG"), "large", 200)
    assert reduced.image.size == (200, 133)
    assert (reduced.width_px, reduced.height_px) == (1203, 801)
    assert reduced.scale == pytest.approx(200 / 1203)


AWKWARD = {
    "broken_data_stream.png": "unreadable",
    "face_cmyk.jpg": (798, 804),
    "face_exif_orientation6.jpg": (798, 804),
    "face_palette.png": (513, 585),
    "face_rgba.png": (513, 585),
    "face_tiny24.png": (24, 24),
    "face_truncated60pct.jpg": "truncated",
    "hopper_16bit.pgm": (128, 128),
    "multiface_group.jpg": (1200, 630),
    "noface_1.jpg": (1200, 931),
    "text_not_image.jpg": "not an image",
    "zero_bytes.jpg": "empty",
}


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_files_are_read_right_or_refused_rightly(shared_pictures: Path, name: str) -> None:
    """Each awkward file has the size it should have upright, or the right fault."""
    expected = AWKWARD[name]
    if isinstance(expected, tuple):
        picture = read_picture(shared_pictures / "awkward" / name)
        assert (picture.mode, picture.size) == ("RGB", expected)
        assert 5 < np.asarray(picture).std() < 120
    else:
        with pytest.raises(PictureError) as caught:
            read_picture(shared_pictures / "awkward" / name)
        assert caught.value.fault == expected


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png_header(width: int, height: int) -> bytes:
    body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", body)


def _bomb(edge: int) -> bytes:
    return _png_header(edge, edge) + _chunk(b"IDAT", zlib.compress(b"\0" * 1000))
