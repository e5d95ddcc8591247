"""The whole photo is painted: no seams, its own size, the face as large as in the training."""

import numpy as np
import pytest
from PIL import Image
from support.tiny_model import SIZE_PX, tiny_checkpoint, tiny_export

from portrait_pipeline.portrayal.exported import exported_model
from portrait_pipeline.portrayal.photo import Photo
from portrait_pipeline.portrayal.portrayer import FacePortrayer, Portrayal
from portrait_pipeline.portrayal.torch_model import checkpoint_model
from portrait_pipeline.portrayal.whole import (
    MAX_PAINTED_PIXELS,
    paint_tiles,
    paint_whole,
    whole_scale,
)
from portrait_pipeline.sample import draw_photo

TILE_PX = 32


def smooth_picture(width: int, height: int) -> np.ndarray:
    coarse = np.random.default_rng(0).integers(60, 200, (5, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def normalising(tiles: np.ndarray) -> np.ndarray:
    """Paint as instance norm does: every tile gets the same mean and spread."""
    values = tiles.astype(float)
    mean, spread = values.mean(axis=(1, 2), keepdims=True), values.std(axis=(1, 2), keepdims=True)
    return np.clip(128 + 40 * (values - mean) / (spread + 1), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (5, 70), (32, 32), (33, 100), (97, 64)])
def test_tiles_give_back_the_picture_when_nothing_is_painted(size: tuple[int, int]) -> None:
    """Smaller and larger than a tile, in whole tiles or not: the weights add up to one."""
    picture = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert np.array_equal(paint_tiles(picture, lambda tiles: tiles, TILE_PX), picture)


def worst_bend(painted: np.ndarray) -> float:
    """Compare places in a tile by the bend there (second difference): the worst over the mean."""
    worst = 0.0
    for axis in (0, 1):
        bends = np.abs(np.diff(painted.astype(float), n=2, axis=axis)).mean(axis=(1 - axis, 2))
        places = [bends[start :: TILE_PX // 2].mean() for start in range(TILE_PX // 2)]
        worst = max(worst, float(max(places) / np.mean(places)))
    return worst


def test_tiles_that_differ_in_tone_show_no_seam() -> None:
    """No place in a tile, its border included, bends the picture more than others do.

    Tiles side by side without an overlap, of the same painter, bend it at their borders alone.
    """
    picture = smooth_picture(320, 256)
    assert worst_bend(paint_tiles(picture, normalising, TILE_PX)) < 1.4
    rows = picture.reshape(256 // TILE_PX, TILE_PX, 320 // TILE_PX, TILE_PX, 3).swapaxes(1, 2)
    tiles = normalising(rows.reshape(-1, TILE_PX, TILE_PX, 3)).reshape(rows.shape)
    assert worst_bend(tiles.swapaxes(1, 2).reshape(picture.shape)) > 3


def test_every_tile_has_the_size_of_the_training() -> None:
    """A model is never shown another size, so that exported networks of one size work too."""
    shapes = set()

    def paint(tiles: np.ndarray) -> np.ndarray:
        shapes.add(tiles.shape[1:])
        return 255 - tiles

    picture = smooth_picture(75, 41)
    assert np.array_equal(paint_tiles(picture, paint, TILE_PX), 255 - picture)
    assert shapes == {(TILE_PX, TILE_PX, 3)}


@pytest.mark.parametrize("runtime", ["torch", "onnx"])
def test_a_whole_photo_is_painted_in_both_runtimes(runtime: str) -> None:
    """The painting has the photo's size, and its ground is painted too."""
    is_torch = runtime == "torch"
    model = checkpoint_model(tiny_checkpoint()) if is_torch else exported_model(tiny_export())
    picture = Image.fromarray(draw_photo(0, 0, 200).photo).crop((0, 10, 200, 200))
    (portrayal,) = FacePortrayer([model]).portray([Photo.of_image(picture)])
    assert portrayal.faces
    whole = paint_whole(picture, portrayal, model)
    assert whole.size == picture.size
    corner = (slice(0, 20), slice(0, 20))
    changed = np.abs(np.asarray(whole)[corner].astype(int) - np.asarray(picture)[corner])
    assert changed.mean() > 3


def test_a_photo_is_shrunk_to_the_size_of_the_training_and_never_enlarged() -> None:
    """The largest face fills a tile; a smaller one stays as it is; huge photos have a limit."""
    model = checkpoint_model(tiny_checkpoint())
    picture = Image.fromarray(draw_photo(0, 0, 320).photo)
    (portrayal,) = FacePortrayer([model]).portray([Photo.of_image(picture)])
    edge = portrayal.faces[0].transform.edge_px
    assert edge > SIZE_PX
    assert whole_scale(picture.size, portrayal, SIZE_PX) == pytest.approx(SIZE_PX / edge)
    assert whole_scale(picture.size, portrayal, 1024) == 1.0
    nobody = Portrayal((), "no face")
    assert whole_scale((100, 100), nobody, SIZE_PX) == 1.0
    huge = whole_scale((20_000, 10_000), nobody, SIZE_PX)
    assert 20_000 * 10_000 * huge**2 == pytest.approx(MAX_PAINTED_PIXELS)
