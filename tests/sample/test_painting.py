import numpy as np
from support.drawn_people import SIZE_PX, average_person

from portrait_pipeline.sample.capture import Capture
from portrait_pipeline.sample.painting import PALETTES, draw_style, paint
from portrait_pipeline.sample.person import draw_person


def test_styles_use_one_palette_and_stay_in_range(rng: np.random.Generator) -> None:
    """A palette runs from shadow to light in [0, 1]; some paintings have no cracks."""
    styles = [draw_style(rng) for _ in range(60)]
    for style in styles:
        assert any(np.allclose(style.palette * 255.0, palette) for palette in PALETTES)
        assert (np.diff(style.palette.sum(axis=1)) > 0.0).all()
    cracked = np.mean([style.cracks > 0.0 for style in styles])
    assert 0.2 < cracked < 0.9


def test_a_painting_is_warm_and_textured(capture: Capture, rng: np.random.Generator) -> None:
    """Painted, a figure is uint8, has more red than blue, and grain where it was smooth."""
    figure = draw_person(average_person(), capture, rng, SIZE_PX, period=True)
    painted = paint(figure, rng)
    assert painted.dtype == np.uint8
    assert painted.shape == (SIZE_PX, SIZE_PX, 3)
    assert painted[..., 0].mean() > painted[..., 2].mean() + 5.0
    bare = figure.cover < 0.01
    differences = np.abs(np.diff(painted.astype(float).mean(axis=2), axis=0))[bare[1:]]
    assert differences.mean() > 0.5
