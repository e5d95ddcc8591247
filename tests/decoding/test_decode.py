"""Whatever a file holds, it is a picture or a `DecodingError`: one list of formats, one limit."""

import subprocess
import sys
import types
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile
from support.picture_files import (
    FORMATS,
    chunk,
    encoded,
    many_scans,
    noise,
    png,
    png_header,
)

from portrait_pipeline.decoding.decode import Decoded, decode
from portrait_pipeline.decoding.faults import DecodingError
from portrait_pipeline.decoding.jpeg_scans import count_scans
from portrait_pipeline.pictures import PictureError, decode_picture

MAX_PIXELS = 1_000_000
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(64)


def fault_of(data: bytes, max_pixels: int = MAX_PIXELS) -> str:
    with pytest.raises(DecodingError) as caught:
        decode(data, max_pixels)
    return caught.value.fault


@pytest.mark.parametrize("form", FORMATS)
def test_every_allowed_format_is_read(form: str) -> None:
    """One picture in every format comes out alike, to within its compression."""
    picture = noise(48, 32)
    options = {"append_images": [picture], "save_all": True} if form == "MPO" else {}
    decoded = decode(encoded(picture, form, **options), MAX_PIXELS)
    assert (decoded.width_px, decoded.height_px, decoded.image.mode) == (48, 32, "RGB")
    assert np.abs(np.asarray(decoded.image).astype(int) - np.asarray(picture)).mean() < 8


@pytest.mark.parametrize("form", ["EPS", "ICO", "TGA", "PCX", "SGI", "PDF", "ICNS", "DDS", "IM"])
def test_no_other_format_is_read(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Formats beyond the list are no images, and no program is started for any of them."""
    data = encoded(noise(32, 32), form)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert fault_of(data) == "not an image"


@pytest.mark.parametrize("form", FORMATS)
def test_one_pixel_limit_holds_for_every_format(form: str) -> None:
    """A picture of one pixel more than allowed is refused in every format."""
    data = encoded(noise(40, 25), form)
    assert fault_of(data, 999) == "too large"
    assert decode(data, 1000).image.size == (40, 25)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_what_is_cut_off_concerns_that_file_alone(form: str, kept: float) -> None:
    """A file without its end is a picture or refused with a word of the list."""
    data = encoded(noise(96, 64), form)
    outcome: Decoded | DecodingError
    try:
        outcome = decode(data[: int(len(data) * kept)], MAX_PIXELS)
    except DecodingError as error:
        outcome = error
    if isinstance(outcome, DecodingError):
        assert outcome.fault in ("truncated", "unreadable", "not an image")
        assert outcome.detail


@pytest.mark.parametrize("error", [RuntimeError, KeyError, ZeroDivisionError, AttributeError])
def test_whatever_a_decoder_raises_is_unreadable(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception of any class becomes ours, with its words."""

    def fail(*_: object, **__: object) -> None:
        raise error("the decoder fell over")

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(DecodingError, match="the decoder fell over") as caught:
        decode(b"anything", MAX_PIXELS)
    assert caught.value.fault == "unreadable"


def test_scans_are_counted_before_anything_is_decoded() -> None:
    """Files of every kind have the scans that were written; too many are refused at once."""
    assert count_scans(encoded(noise(64, 64), "JPEG")) == 1
    usual = count_scans(encoded(noise(64, 64), "JPEG", progressive=True))
    assert 3 <= usual <= 20
    assert count_scans(many_scans(300)) == usual + 299
    assert fault_of(many_scans(3000)) == "too costly"
    assert decode(many_scans(20), MAX_PIXELS).image.size == (64, 64)


def test_scans_are_not_counted_in_thumbnails_and_comments() -> None:
    """What looks like a scan inside a segment is none."""
    options = {"comment": b"\xff\xda" * 500, "exif": b"Exif\x00\x00" + b"\xff\xda" * 500}
    assert count_scans(encoded(noise(64, 64), "JPEG", **options)) == 1


def test_restart_markers_and_filling_bytes_are_no_scans() -> None:
    """A baseline JPEG with restart markers, and one with filling bytes, has one scan."""
    restarts = encoded(noise(256, 256), "JPEG", restart_marker_blocks=1)
    assert count_scans(restarts) == 1
    assert count_scans(restarts.replace(b"\xff\xda", b"\xff\xff\xff\xda", 1)) == 1


def test_heic_is_called_heic() -> None:
    """A HEIC file is named as such, with what to do; AVIF in a like container is not."""
    with pytest.raises(DecodingError, match="pillow-heif") as caught:
        decode(HEIC, MAX_PIXELS)
    assert caught.value.fault == "HEIC"
    assert fault_of(HEIC.replace(b"ftypheic", b"ftypmif1")) == "HEIC"
    assert fault_of(b"\x00\x00\x00\x14ftypavif\x00\x00\x00\x00mif1" + bytes(64)) != "HEIC"
    assert fault_of(b"\x00\x00\x00\x14ftypisom\x00\x00\x00\x00mp42" + bytes(64)) == "not an image"


def test_heic_is_read_where_pillow_heif_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin registers its opener, and its pictures go the way of all others."""

    def opener(*_: object) -> Image.Image:
        return Image.new("RGB", (5, 7), "red")

    plugin = types.ModuleType("pillow_heif")
    plugin.register_heif_opener = (
        lambda: Image.register_open(  # type: ignore[attr-defined]
            "HEIF", opener, lambda prefix: prefix[4:8] == b"ftyp"
        )
    )
    monkeypatch.setitem(sys.modules, "pillow_heif", plugin)
    monkeypatch.setattr(Image, "OPEN", dict(Image.OPEN))
    monkeypatch.setattr(Image, "ID", list(Image.ID))
    monkeypatch.setattr(Image.Image, "draft", lambda *_: None, raising=False)
    assert decode(HEIC, MAX_PIXELS).image.getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("edge", [1001, 20_000, 4_000_000])
def test_bombs_are_refused_before_they_are_unpacked(edge: int) -> None:
    """A header of too many pixels is enough to refuse a file."""
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    assert fault_of(png_header(edge, edge) + pixels) == "too large"


@pytest.mark.parametrize("form", FORMATS)
def test_no_pixel_of_a_bomb_is_unpacked(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pixels are counted in the header: nothing is loaded to find out."""

    def explode(*_: object, **__: object) -> None:
        raise AssertionError("unpacked")

    data = encoded(noise(40, 25), form)
    decode(data, 1000)
    monkeypatch.setattr(ImageFile.ImageFile, "load", explode)
    assert fault_of(data, 999) == "too large"


def test_a_picture_that_grows_while_it_is_unpacked_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a decoder says before it has seen the pixels is not believed."""
    picture = noise(10, 10)
    monkeypatch.setattr(picture, "load", lambda: setattr(picture, "_size", (2000, 2000)))
    monkeypatch.setattr(Image, "open", lambda *_, **__: picture)
    assert fault_of(b"anything") == "too large"


@pytest.mark.parametrize("size", [(1, 1), (2000, 3), (1, 900)])
def test_tiny_and_thin_pictures_are_pictures(size: tuple[int, int]) -> None:
    """Nothing is too small to be read; whether a face fits is not the reader's question."""
    for form in FORMATS:
        assert decode(encoded(Image.new("RGB", size), form), MAX_PIXELS).image.size == size


@pytest.mark.parametrize("size", [(1000, 999), (999, 1000), (1001, 1000), (640, 480)])
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_sideways_pictures_have_their_upright_size(size: tuple[int, int], orientation: int) -> None:
    """However near to a square, and however much a JPEG is reduced on the way."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(noise(*size), "JPEG", exif=exif)
    upright = size if orientation == 3 else size[::-1]
    for longest_px in (60, 100, 320, None):
        decoded = decode(data, 2 * MAX_PIXELS, longest_px)
        assert (decoded.width_px, decoded.height_px) == upright
        longer = decoded.image.width >= decoded.image.height
        assert longer == (upright[0] >= upright[1]) or abs(size[0] - size[1]) == 1


def test_sixteen_bit_rgb_is_read() -> None:
    """A PNG of 16 bits for each colour comes out in 8."""
    rows = b"\x00" + np.array([[0, 30_000, 65_535]], dtype=">u2").tobytes()
    colour = decode(png((1, 1), 16, 2, rows), MAX_PIXELS).image.getpixel((0, 0))
    assert np.abs(np.array(colour) - (0, 117, 255)).max() <= 1


def test_the_worker_and_the_decoder_agree(tmp_path: Path) -> None:
    """What comes back from a process of its own is what the decoder made, or its refusal."""
    data = encoded(noise(300, 200), "JPEG")
    assert np.array_equal(decode_picture(data), decode(data, MAX_PIXELS).image)
    with pytest.raises(PictureError) as caught:
        decode_picture(data[:200])
    assert caught.value.fault == fault_of(data[:200])
