"""The whole photo as a painting: its ground too, in overlapping tiles without seams."""

import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from portrait_pipeline.faces.crop import reflected_indices
from portrait_pipeline.portrayal.portrayer import Painter, PortraitModel, Portrayal
from portrait_pipeline.portrayal.sizing import enlarge, pasted

TILES_AT_ONCE = 8
MAX_PAINTED_PIXELS = 2_000_000
"""A photo of many small faces is painted at most this large, and then enlarged."""

Picture = UInt8[np.ndarray, "height width 3"]


def paint_whole(picture: Image.Image, portrayal: Portrayal, model: PortraitModel) -> Image.Image:
    """Paint a photo from border to border, and lay the portraits of its faces into it.

    The photo is shrunk until its largest face has the size that the model was trained on; it is
    never enlarged. What the model paints is enlarged again with the edges that it shares with the
    photo.

    Args:
        picture: The photo.
        portrayal: Its faces and their portraits by the model.
        model: Paints tiles of `preparation.crop_size_px`.
    """
    size_px = model.preparation.crop_size_px
    scale = whole_scale(picture.size, portrayal, size_px)
    width, height = (max(1, round(length * scale)) for length in picture.size)
    photo = np.asarray(picture)
    small = np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS))
    painted = paint_tiles(small, model.painter, size_px)
    if small.shape != photo.shape:
        painted = enlarge(painted, small, photo)
    return pasted(picture, portrayal, model.name, ground=Image.fromarray(painted))


def whole_scale(picture_size_px: tuple[int, int], portrayal: Portrayal, size_px: int) -> float:
    """Return by how much a photo is shrunk, at most 1: its largest face fills a tile."""
    largest = max((face.transform.edge_px for face in portrayal.faces), default=float(size_px))
    at_most = math.sqrt(MAX_PAINTED_PIXELS / (picture_size_px[0] * picture_size_px[1]))
    return min(1.0, size_px / largest, at_most)


def paint_tiles(picture: Picture, paint: Painter, tile_px: int) -> Picture:
    """Paint a picture of any size in tiles of the size that the model was trained on.

    A generator normalises its features over its input (instance norm), so two tiles differ in tone
    where they meet. Hence tiles overlap by half, and each fades to nothing at its edge (the square
    of a sine): weights that start and end without a bend leave no seam. A picture smaller than a
    tile is reflected at its border for the model alone.

    Args:
        picture: uint8 RGB in [0, 255].
        paint: Translates a batch of tiles.
        tile_px: Edge of a tile.
    """
    height, width = picture.shape[:2]
    margin = tile_px // 2
    padded = _padded(picture, margin)
    total = np.zeros(padded.shape)
    weights = np.zeros((*padded.shape[:2], 1))
    window = _window(tile_px)
    for corners in _batches(padded.shape[:2], tile_px):
        tiles = np.stack([padded[y : y + tile_px, x : x + tile_px] for y, x in corners])
        for (y, x), tile in zip(corners, paint(tiles), strict=True):
            total[y : y + tile_px, x : x + tile_px] += window * tile
            weights[y : y + tile_px, x : x + tile_px] += window
    inside = (slice(margin, margin + height), slice(margin, margin + width))
    return np.asarray(np.rint(total[inside] / weights[inside]), dtype=np.uint8)


def _padded(picture: Picture, margin: int) -> Picture:
    """Reflect a picture so far that every pixel of it lies in two tiles along each axis."""
    after = [margin + (-length) % margin for length in picture.shape[:2]]  # whole half tiles
    rows, columns = (
        reflected_indices(-margin, margin + length + more, length)
        for length, more in zip(picture.shape[:2], after, strict=True)
    )
    return np.asarray(picture[np.ix_(rows, columns)])


def _batches(shape: tuple[int, ...], tile_px: int) -> Iterator[list[tuple[int, int]]]:
    step = tile_px // 2
    rows, columns = (range(0, length - tile_px + 1, step) for length in shape)
    corners = [(y, x) for y in rows for x in columns]
    for start in range(0, len(corners), TILES_AT_ONCE):
        yield corners[start : start + TILES_AT_ONCE]


def _window(tile_px: int) -> Float[np.ndarray, "tile tile 1"]:
    ramp = np.sin(np.pi * (np.arange(tile_px) + 0.5) / tile_px) ** 2
    return np.asarray(np.outer(ramp, ramp)[..., None])
