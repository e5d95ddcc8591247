"""Photo and portraits side by side, with a name above and the judge's verdict below each."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

TILE_PX = 256
GAP_PX = 12
HEAD_PX, FOOT_PX = 34, 46
PAPER, INK, FAINT = (255, 255, 255), (28, 32, 38), (96, 104, 114)


def comparison_strip(
    photo: UInt8[np.ndarray, "size size 3"],
    portraits: Mapping[str, UInt8[np.ndarray, "size size 3"]],
    notes: Mapping[str, tuple[str, str]],
) -> UInt8[np.ndarray, "height width 3"]:
    """Draw photo | portrait | portrait … with a caption above and two lines below each.

    Args:
        photo: The face crop.
        portraits: The portrait by each model, in the order of the strip.
        notes: For each model, two short lines below its portrait.
    """
    tile = max(TILE_PX, len(photo))
    columns = {"photo": photo, **portraits}
    width = len(columns) * (tile + GAP_PX) + GAP_PX
    strip = Image.new("RGB", (width, HEAD_PX + tile + FOOT_PX), PAPER)
    pen = ImageDraw.Draw(strip)
    for place, (name, pixels) in enumerate(columns.items()):
        left = GAP_PX + place * (tile + GAP_PX)
        strip.paste(_enlarged(pixels, tile), (left, HEAD_PX))
        middle = left + tile / 2
        pen.text((middle, HEAD_PX / 2), name, INK, ImageFont.load_default(17), anchor="mm")
        first, second = notes.get(name, ("", ""))
        bottom = HEAD_PX + tile
        pen.text((middle, bottom + 14), first, INK, ImageFont.load_default(15), anchor="mm")
        pen.text((middle, bottom + 33), second, FAINT, ImageFont.load_default(13), anchor="mm")
    return np.asarray(strip)


def _enlarged(pixels: UInt8[np.ndarray, "size size 3"], size_px: int) -> Image.Image:
    picture = Image.fromarray(pixels)
    return picture.resize((size_px, size_px), Image.Resampling.LANCZOS)
