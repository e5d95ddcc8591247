"""How many scans a JPEG holds, counted without decoding one.

A progressive JPEG of a camera or an editor has about ten. Each costs a pass over the whole picture,
however few bytes it has, so that a small file of thousands of scans decodes for minutes.
"""

import re

MAX_JPEG_SCANS = 100
START = b"\xff\xd8"
_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7\x01])")
"""A marker with a body, or the end: neither a stuffed 0xFF, nor a restart marker."""
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9


def count_scans(jpeg: bytes) -> int:
    """Return the number of scans of the first image in a JPEG file."""
    scans = 0
    place = len(START)
    while marker := _MARKER.search(jpeg, place):
        place = marker.end()
        kind = marker[1][0]
        if kind == _END_OF_IMAGE:
            break
        scans += kind == _START_OF_SCAN
        if jpeg[place : place + 2] and kind != START[1]:
            place += int.from_bytes(jpeg[place : place + 2], "big")
    return scans
