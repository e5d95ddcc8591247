"""Decoders are processes that a picture cannot outlive its limits in."""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.picture_files import encoded, many_scans, noise, png

from portrait_pipeline.cores import available_cores
from portrait_pipeline.decoding import processes
from portrait_pipeline.decoding.faults import DecodingError
from portrait_pipeline.decoding.processes import (
    DecoderPool,
    DecoderProcess,
    PictureLimits,
    decoder_pool,
)

USUAL = PictureLimits(pixels=50_000_000, file_bytes=50_000_000, seconds=20)
SIDE = 3000
START_BYTES = 180_000_000
"""Python with Pillow and NumPy, and the strips of a few million bytes."""
needs_limits = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux holds a process to its address space"
)


@dataclass(frozen=True)
class TightLimits(PictureLimits):
    """Limits that say by themselves how much memory there is."""

    tight_memory_bytes: int = 0

    @property
    def memory_bytes(self) -> int:
        return self.tight_memory_bytes


def tight(memory_bytes: int) -> TightLimits:
    return TightLimits(SIDE * SIDE, 10**9, 20, memory_bytes)


def flat(mode: str) -> Image.Image:
    return Image.new(mode, (SIDE, SIDE), 1)


def costly() -> dict[str, bytes]:
    """Pictures of few bytes and many pixels, of every depth."""
    grey16 = png((SIDE, SIDE), 16, 0, bytes((1 + 2 * SIDE) * SIDE))
    colour16 = png((SIDE, SIDE), 16, 2, bytes((1 + 6 * SIDE) * SIDE))
    opacity16 = png((SIDE, SIDE), 16, 6, bytes((1 + 8 * SIDE) * SIDE))
    transparent16 = png((SIDE, SIDE), 16, 0, bytes((1 + 2 * SIDE) * SIDE), b"\x00\x07")
    floats = encoded(flat("F"), "TIFF", compression="tiff_deflate")
    integers = encoded(flat("I"), "TIFF", compression="tiff_deflate")
    palette = encoded(flat("P"), "GIF")
    alpha = encoded(flat("RGBA"), "PNG", compress_level=1)
    sideways = Image.Exif()
    sideways[0x0112] = 6
    turned = encoded(flat("RGB"), "JPEG", exif=sideways)
    return {
        "grey16": grey16,
        "colour16": colour16,
        "opacity16": opacity16,
        "floats": floats,
        "transparent16": transparent16,
        "integers": integers,
        "palette": palette,
        "alpha": alpha,
        "turned": turned,
    }


@needs_limits
def test_memory_is_a_small_multiple_of_the_pixels() -> None:
    """Every mode and depth is decoded within 9 bytes for each pixel; too little is refused."""
    decoder = DecoderProcess()
    files = costly()
    for name, data in files.items():
        decoded = decoder.decode(data, tight(START_BYTES + 9 * SIDE * SIDE), None)
        assert decoded.image.size == (SIDE, SIDE), name
    decoder.end()
    decoder = DecoderProcess()
    with pytest.raises(DecodingError) as caught:
        decoder.decode(files["opacity16"], tight(70_000_000), None)
    assert caught.value.fault == "too costly"
    decoder.end()


@needs_limits
def test_time_ends_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A JPEG of as many scans as are allowed ends its decoder when its seconds are over."""
    monkeypatch.setattr(processes, "WALL_SECONDS_PER_SECOND", 10_000)
    decoder = DecoderProcess()
    slow = many_scans(85, (6500, 6500))
    with pytest.raises(DecodingError, match=f"signal {signal.SIGXCPU}") as caught:
        decoder.decode(slow, PictureLimits(50_000_000, 50_000_000, 0.01), None)
    assert caught.value.fault == "too costly"
    assert not decoder.is_alive


@pytest.mark.skipif(os.name == "nt", reason="Windows stops no process")
def test_a_decoder_that_hangs_is_ended() -> None:
    """Work that takes no time of the processor is ended by the clock, and leaves no process."""
    decoder = DecoderProcess()
    os.kill(decoder.pid, signal.SIGSTOP)
    with pytest.raises(DecodingError) as caught:
        decoder.decode(b"x", PictureLimits(1, 1, seconds=0.02), None)
    assert caught.value.fault == "too costly"
    assert not decoder.is_alive


def test_a_decoder_that_dies_concerns_one_picture() -> None:
    """The picture is refused, and the next one is decoded by another process."""
    pool, data = DecoderPool(1), encoded(noise(40, 30))
    pool.decode(data, USUAL)
    with pool.lent() as decoder:
        decoder.kill()
        with pytest.raises(DecodingError, match="signal 9"):
            decoder.decode(data, USUAL, None)
    assert pool.decode(data, USUAL).image.size == (40, 30)
    pool.close()


def test_a_refused_picture_keeps_its_decoder() -> None:
    """Broken files are answered; the process goes on, and what follows is not mixed up."""
    decoder = DecoderProcess()
    for edge in (10, 33, 70):
        with pytest.raises(DecodingError, match="not an image"):
            decoder.decode(b"text" * edge, USUAL, None)
        assert decoder.decode(encoded(noise(edge, 9)), USUAL, None).image.size == (edge, 9)
    assert decoder.is_alive
    decoder.end()


@pytest.mark.parametrize("module", ["json", "struct", "PIL", "portrait_pipeline"])
def test_nothing_is_imported_from_the_current_folder(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of pictures may hold files of any name."""
    (tmp_path / f"{module}.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    decoder = DecoderProcess()
    assert decoder.decode(encoded(noise(20, 9)), USUAL, None).image.size == (20, 9)
    decoder.end()


def test_threads_get_their_own_pictures() -> None:
    """More threads than decoders: every one gets the picture that it handed in."""
    pictures = [noise(20 + index, 16, index) for index in range(24)]
    files = [encoded(picture) for picture in pictures]
    pool = DecoderPool(2)
    with ThreadPoolExecutor(6) as threads:
        decoded = list(threads.map(lambda data: pool.decode(data, USUAL), files))
    for result, picture in zip(decoded, pictures, strict=True):
        assert np.array_equal(result.image, picture)
    pool.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_decoders_of_its_own() -> None:
    """A child decodes with its own pool, also where its parent's are all lent at that moment."""
    data = encoded(noise(31, 17))
    with ExitStack() as lent:
        for _ in range(available_cores()):
            lent.enter_context(decoder_pool().lent())
        child = os.fork()
        if child == 0:
            signal.alarm(60)  # a child that waits for its parent's decoders ends
            pool = decoder_pool()
            good = pool.decode(data, USUAL).image.size == (31, 17)
            pool.close()
            os._exit(0 if good else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert decoder_pool().decode(data, USUAL).image.size == (31, 17)
