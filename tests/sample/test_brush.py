import numpy as np

from portrait_pipeline.sample.brush import Brush, lay_strokes, read_form

SIZE = 64
BRUSH = Brush(spacing=4.0, half_length=6.0, half_width=2.0, opacity=0.9, needed_detail=0.0)


def _canvas() -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((3, SIZE, SIZE), np.float32), np.full((SIZE, SIZE), 0.5, np.float32)


def _stripes() -> np.ndarray:
    line = 0.5 + 0.4 * np.sin(np.arange(SIZE, dtype=np.float32) / 4.0)
    return np.broadcast_to(line[:, None], (3, SIZE, SIZE)).astype(np.float32)


def test_strokes_follow_the_lines_of_the_picture(rng: np.random.Generator) -> None:
    """Across horizontal stripes colour changes downwards, so strokes lie horizontally."""
    direction = read_form(_stripes(), rng).direction[8:-8, 8:-8]
    assert np.median(np.abs(np.sin(direction))) < 0.2


def test_detail_is_where_the_picture_changes(rng: np.random.Generator) -> None:
    """A flat picture has no detail; stripes have; both lie in [0, 1]."""
    flat = read_form(np.full((3, SIZE, SIZE), 0.5, np.float32), rng).detail
    busy = read_form(_stripes(), rng).detail
    assert flat.max() < 0.01
    assert busy.mean() > 0.2
    assert busy.max() <= 1.0


def test_strokes_take_the_colours_of_the_picture(rng: np.random.Generator) -> None:
    """On a black canvas strokes of a grey picture cover most of it, in about its colour."""
    grey = np.full((3, SIZE, SIZE), 0.5, np.float32)
    painted, relief = lay_strokes(_canvas(), grey, read_form(grey, rng), BRUSH, rng)
    covered = painted[0] > 0.1
    assert covered.mean() > 0.8
    assert 0.4 < np.median(painted[:, covered]) < 0.55
    assert 0.0 <= relief.min() < relief.max() <= 1.0


def test_a_brush_for_details_leaves_flat_parts_alone(rng: np.random.Generator) -> None:
    """A layer that needs detail paints nothing over a flat picture."""
    grey = np.full((3, SIZE, SIZE), 0.5, np.float32)
    fine = Brush(2.0, 3.0, 1.0, 0.9, needed_detail=0.5)
    canvas = _canvas()
    assert lay_strokes(canvas, grey, read_form(grey, rng), fine, rng) is canvas
