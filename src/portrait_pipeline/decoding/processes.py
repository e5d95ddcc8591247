"""The decoders' processes: started when they are needed, kept, and ended when they go too far."""

import atexit
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

import portrait_pipeline
from portrait_pipeline.cores import available_cores
from portrait_pipeline.decoding.colour import strips
from portrait_pipeline.decoding.decode import Decoded
from portrait_pipeline.decoding.faults import DecodingError
from portrait_pipeline.decoding.worker import read_message, write_message
from portrait_pipeline.errors import PortraitPipelineError

BASE_MEMORY_BYTES = 400_000_000
"""Address space of a decoder before it has a picture: Python, Pillow, NumPy, and their threads."""
MEMORY_BYTES_PER_PIXEL = 20
"""What a decoder may take for each pixel that a picture may have. WebP needs most, 16; JPEG, PNG
and TIFF of every depth stay below 9."""
WALL_SECONDS_PER_SECOND = 4
"""How much longer than its processor's time a picture may take, beside other programs."""
SECONDS_TO_END = 2.0


@dataclass(frozen=True)
class PictureLimits:
    """What one picture may cost.

    Attributes:
        pixels: Pictures with more are refused before any of them is unpacked.
        file_bytes: Larger files are not read.
        seconds: Time of the processor for decoding it.
    """

    pixels: int
    file_bytes: int
    seconds: float

    @property
    def memory_bytes(self) -> int:
        """Address space of the process that decodes it."""
        return BASE_MEMORY_BYTES + self.file_bytes + self.pixels * MEMORY_BYTES_PER_PIXEL


class DecoderProcess:
    """One process that decodes, and what is written to it and read from it."""

    def __init__(self) -> None:
        folder = str(Path(portrait_pipeline.__file__).parents[1])
        paths = [folder, *filter(None, [os.environ.get("PYTHONPATH")])]
        settings = {"PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1"}
        # -P: no module is imported from the current folder, which may be the pictures' own
        command = [sys.executable, "-P", "-m", "portrait_pipeline.decoding.worker"]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **settings},
                start_new_session=True,  # a terminal's signals are for the program alone
            )
        except OSError as error:
            raise PortraitPipelineError(
                f"no process to decode pictures can be started ({error.strerror or error}),"
                " expected room for one: end other programs"
            ) from error

    @property
    def pid(self) -> int:
        """The process's own number."""
        return self._process.pid

    def kill(self) -> None:
        """End the process at once, whatever it does."""
        self._process.kill()
        self._process.wait()

    @property
    def is_alive(self) -> bool:
        """Whether it can take another picture."""
        return self._process.poll() is None

    def decode(self, data: bytes, limits: PictureLimits, longest_px: int | None) -> Decoded:
        """Decode one picture as `decode.decode` does.

        Raises:
            DecodingError: as `decode.decode` does, and when the process ended over the picture.
        """
        watch = threading.Timer(limits.seconds * WALL_SECONDS_PER_SECOND, self._process.kill)
        watch.daemon = True
        watch.start()
        try:
            return self._ask(data, limits, longest_px)
        except (OSError, EOFError):
            self.end()
            raise DecodingError("too costly", self._last_words(limits)) from None
        except DecodingError:
            raise
        except BaseException:  # interrupted: the rest of the answer must not be read as the next
            self.kill()
            raise
        finally:
            watch.cancel()

    def _ask(self, data: bytes, limits: PictureLimits, longest_px: int | None) -> Decoded:
        requests, answers = self._pipes()
        request = {
            "data_bytes": len(data),
            "max_pixels": limits.pixels,
            "longest_px": longest_px,
            "memory_bytes": limits.memory_bytes,
            "seconds": limits.seconds,
        }
        write_message(requests, request)
        requests.write(data)
        requests.flush()
        answer = read_message(answers)
        if answer is None:
            raise EOFError
        if "fault" in answer:
            raise DecodingError(answer["fault"], answer["detail"])
        return Decoded(_read_pixels(answers, answer), *answer["whole"])

    def _pipes(self) -> tuple[BinaryIO, BinaryIO]:
        requests, answers = self._process.stdin, self._process.stdout
        if requests is None or answers is None:
            raise EOFError
        return requests, answers  # type: ignore[return-value]  # opened for bytes

    def _last_words(self, limits: PictureLimits) -> str:
        code = self._process.returncode
        if code is not None and code < 0:
            return (
                f"its decoder was ended by signal {-code}; it may take {limits.seconds} s and"
                f" {limits.memory_bytes / 1e9:.1f} GB"
            )
        return f"its decoder ended with code {code}"

    def end(self) -> None:
        """Close the pipes and wait for the process to end."""
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except OSError:
                pass  # what was not sent is of no use any more
        try:
            self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.kill()


def _read_pixels(answers: BinaryIO, answer: dict[str, Any]) -> Image.Image:
    image = Image.new("RGB", (answer["width"], answer["height"]))
    for box in strips(image.size):
        size = (box[2] - box[0], box[3] - box[1])
        pixels = answers.read(3 * size[0] * size[1])
        if len(pixels) < 3 * size[0] * size[1]:
            raise EOFError
        image.paste(Image.frombytes("RGB", size, pixels), box)
    return image


class DecoderPool:
    """As many decoders as there are cores, each lent to one thread at a time."""

    def __init__(self, size: int | None = None) -> None:
        self._room = threading.BoundedSemaphore(size or available_cores())
        self._idle: list[DecoderProcess] = []

    def decode(self, data: bytes, limits: PictureLimits, longest_px: int | None = None) -> Decoded:
        """Decode one picture in the next free process.

        Raises:
            DecodingError: if it cannot be decoded; its `fault` says why.
        """
        with self.lent() as decoder:
            return decoder.decode(data, limits, longest_px)

    @contextmanager
    def lent(self) -> Iterator[DecoderProcess]:
        """Lend a process to the `with` block; one that ends meanwhile is replaced later."""
        with self._room:
            decoder = self._idle_one() or DecoderProcess()
            try:
                yield decoder
            finally:
                if decoder.is_alive:
                    self._idle.append(decoder)
                else:
                    decoder.end()

    def _idle_one(self) -> DecoderProcess | None:
        while True:
            try:
                decoder = self._idle.pop()
            except IndexError:
                return None
            if decoder.is_alive:
                return decoder
            decoder.end()  # something else ended it meanwhile

    def close(self) -> None:
        """End the processes that are idle."""
        while decoder := self._idle_one():
            decoder.end()


_pool = DecoderPool()
_pools_of_parents: list[DecoderPool] = []


def decoder_pool() -> DecoderPool:
    """Return the pool of this process."""
    return _pool


def _start_anew() -> None:
    """Leave the decoders to the process that was forked: their pipes are its own."""
    global _pool  # noqa: PLW0603
    _pools_of_parents.append(_pool)
    _pool = DecoderPool()


@atexit.register
def _end_decoders() -> None:
    _pool.close()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_start_anew)
