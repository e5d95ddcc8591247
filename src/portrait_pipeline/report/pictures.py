"""The pictures on the page: their choice, their order and their encoding."""

import base64
import io
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from portrait_pipeline.images import FaceSet

INK, PAPER = (28, 32, 38), (255, 255, 255)
CELL_PX, GAP_PX, HEADER_PX, MARGIN_PX = 240, 12, 46, 12
LINE_PX, MAX_HEADING_LETTERS = 33, 16
THUMBNAIL_PX = 112
JPEG_QUALITY = 82
SHEET_CELL_PX, SHEET_COLUMNS = 96, 6


def order_by_person_kept(scores: pd.DataFrame) -> tuple[list[str], str, str]:
    """Sort pictures from the best to the worst kept person.

    The judge's similarity decides; where the judge has no embedding (face geometry), the landmark
    error does. Pictures without a number come last, by name.

    Returns:
        The names, the column that decided, and its name for a reader.
    """
    rules = (
        ("judge_similarity", False, "the judge's similarity"),
        ("landmark_error", True, "landmark error"),
    )
    for column, ascending, label in rules:
        if column in scores and scores[column].notna().any():
            ordered = scores.sort_values(
                [column, "name"], ascending=[ascending, True], na_position="last"
            )
            return ordered["name"].astype(str).tolist(), column, label
    return sorted(scores["name"].astype(str)), "name", "name, because nothing was measured"


def spread_evenly(names: Sequence[str], count: int) -> list[str]:
    """Pick `count` of the names at even distances, the first and the last included."""
    if len(names) <= count:
        return list(names)
    positions = np.linspace(0, len(names) - 1, count).round().astype(int)
    return [names[position] for position in positions]


def to_data_uri(picture: UInt8[np.ndarray, "height width 3"], size_px: int = THUMBNAIL_PX) -> str:
    """Turn pixels into a small JPEG inside a data URI; never enlarges."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    image.thumbnail((size_px, size_px), Image.Resampling.LANCZOS)
    return encode_image(image, "JPEG")


def encode_image(image: Image.Image, file_format: str) -> str:
    """Put an image into a data URI."""
    buffer = io.BytesIO()
    options = {"quality": JPEG_QUALITY} if file_format == "JPEG" else {}
    image.save(buffer, format=file_format, optimize=True, **options)
    content = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/{file_format.lower()};base64,{content}"


def draw_picture_table(columns: Mapping[str, FaceSet], names: Sequence[str]) -> Image.Image:
    """Draw the named pictures, one row each, one column for each set under its heading."""
    headings = [textwrap.fill(heading, MAX_HEADING_LETTERS) for heading in columns]
    header_px = HEADER_PX + LINE_PX * max(heading.count("\n") for heading in headings)
    width = 2 * MARGIN_PX + len(columns) * (CELL_PX + GAP_PX) - GAP_PX
    height = header_px + len(names) * (CELL_PX + GAP_PX)
    canvas = Image.new("RGB", (width, height), PAPER)
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(27)
    for number, (heading, faces) in enumerate(zip(headings, columns.values(), strict=True)):
        left = MARGIN_PX + number * (CELL_PX + GAP_PX)
        middle = (left + CELL_PX // 2, header_px // 2)
        draw.multiline_text(middle, heading, INK, font, anchor="mm", align="center")
        for row, pixels in enumerate(faces.subset(names)[list(range(len(names)))]):
            tile = Image.fromarray(pixels).resize((CELL_PX, CELL_PX), Image.Resampling.BICUBIC)
            canvas.paste(tile, (left, header_px + row * (CELL_PX + GAP_PX)))
    return canvas


def draw_sheet(faces: FaceSet) -> Image.Image:
    """Draw all crops of a small set side by side, six in a row."""
    rows = -(-len(faces) // SHEET_COLUMNS)
    cell, step = SHEET_CELL_PX, SHEET_CELL_PX + GAP_PX // 2
    canvas = Image.new("RGB", (SHEET_COLUMNS * step, max(rows, 1) * step), PAPER)
    for index, pixels in enumerate(faces[list(range(len(faces)))]):
        row, column = divmod(index, SHEET_COLUMNS)
        tile = Image.fromarray(pixels).resize((cell, cell), Image.Resampling.BICUBIC)
        canvas.paste(tile, (column * step, row * step))
    return canvas
