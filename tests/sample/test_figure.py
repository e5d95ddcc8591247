import numpy as np
import pytest

from portrait_pipeline.sample.figure import Matter, empty_figure

WINDOW = (slice(1, 3), slice(0, 2))


def test_an_empty_figure_covers_nothing() -> None:
    """There is neither a person nor cloth nor a face in it."""
    figure = empty_figure(4)
    assert figure.colour.shape == (3, 4, 4)
    assert not figure.cover.any()


@pytest.mark.parametrize("matter", ["skin", "hair", "cloth", "linen"])
def test_a_full_layer_replaces_and_counts_as_its_matter(matter: Matter) -> None:
    """Mask 1 gives the layer's colour and cover 1, inside of the window only."""
    figure = empty_figure(4)
    figure.lay((slice(0, 4), slice(0, 4)), "skin", np.full((3, 1, 1), 0.2, np.float32), np.ones(1))
    figure.lay(WINDOW, matter, np.full((3, 1, 1), 0.7, np.float32), np.ones((2, 2), np.float32))
    np.testing.assert_allclose(figure.colour[:, 1:3, 0:2], 0.7, atol=1e-6)
    np.testing.assert_allclose(figure.colour[:, 0], 0.2, atol=1e-6)
    np.testing.assert_allclose(figure.cloth[WINDOW], float(matter == "cloth"))
    np.testing.assert_allclose(figure.face[WINDOW], float(matter == "skin"))


def test_half_a_layer_twice_covers_three_quarters() -> None:
    """Covers combine as opacities do: 1 - (1 - a)²."""
    figure, half = empty_figure(4), np.full((2, 2), 0.5, np.float32)
    for _ in range(2):
        figure.lay(WINDOW, "hair", np.ones((3, 1, 1), np.float32), half)
    np.testing.assert_allclose(figure.cover[WINDOW], 0.75)
