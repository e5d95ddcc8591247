"""A process that decodes one picture after another, within limits that its system enforces.

It reads requests from its standard input and writes answers to its standard output: a length of
four bytes, a JSON object of that length, and the bytes that the object announces. It ends when its
input ends.
"""

import json
import os
import signal
import struct
import sys
from typing import Any, BinaryIO

from PIL import Image

from portrait_pipeline.decoding.colour import strips
from portrait_pipeline.decoding.decode import Decoded, decode, prepare_process
from portrait_pipeline.decoding.faults import DecodingError
from portrait_pipeline.decoding.orientation import tolerate_broken_exif
from portrait_pipeline.process_resources import limit_process


def main() -> None:
    """Answer requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not stand among the answers
    prepare_process()
    tolerate_broken_exif()
    while (request := read_message(requests)) is not None:
        data = requests.read(request["data_bytes"])
        limit_process(request["memory_bytes"], request["seconds"])
        try:
            decoded = decode(data, request["max_pixels"], request["longest_px"])
            _answer(answers, decoded)
        except DecodingError as error:
            write_message(answers, {"fault": error.fault, "detail": error.detail[:500]})
        answers.flush()


def write_message(stream: BinaryIO, message: dict[str, Any]) -> None:
    """Write a JSON object with its length before it."""
    text = json.dumps(message).encode()
    stream.write(struct.pack(">I", len(text)) + text)


def read_message(stream: BinaryIO) -> dict[str, Any] | None:
    """Read what `write_message` wrote; None at the end of the stream."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    text = stream.read(struct.unpack(">I", head)[0])
    try:
        message: dict[str, Any] = json.loads(text)
    except ValueError:
        return None  # cut off
    return message


def _answer(answers: BinaryIO, decoded: Decoded) -> None:
    image: Image.Image = decoded.image
    size = {"width": image.width, "height": image.height}
    write_message(answers, size | {"whole": [decoded.width_px, decoded.height_px]})
    for box in strips(image.size):
        answers.write(image.crop(box).tobytes())


if __name__ == "__main__":
    main()
