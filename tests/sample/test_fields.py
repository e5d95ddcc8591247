import numpy as np

from portrait_pipeline.sample.fields import (
    inside,
    linear,
    over,
    smoothstep,
    to_display,
    to_pixels,
)


def test_display_undoes_linear_below_the_shoulder() -> None:
    """A display colour turned into light and back is itself up to 0.8."""
    colour = linear(0.2, 0.5, 0.8)
    np.testing.assert_allclose(to_display(colour).ravel(), (0.2, 0.5, 0.8), atol=1e-6)


def test_display_stays_in_range() -> None:
    """However bright the light, the display value stays in [0, 1] and never falls."""
    light = np.linspace(-1.0, 50.0, 300, dtype=np.float32).reshape(3, 10, 10)
    shown = to_display(light).ravel()
    assert shown.min() >= 0.0
    assert shown.max() <= 1.0
    assert (np.diff(shown) >= 0.0).all()


def test_smoothstep_rises_and_falls() -> None:
    """0 before the lower edge, 1 after the upper, 0.5 between; mirrored when they are swapped."""
    np.testing.assert_allclose(smoothstep(0.0, 2.0, np.array([-1.0, 1.0, 3.0])), (0.0, 0.5, 1.0))
    np.testing.assert_allclose(smoothstep(2.0, 0.0, np.array([-1.0, 1.0, 3.0])), (1.0, 0.5, 0.0))


def test_inside_is_half_on_the_edge() -> None:
    """A mask is 0.5 on the outline and saturates half a softness to each side."""
    np.testing.assert_allclose(inside(np.array([[-1.0, 0.0, 1.0]]), 2.0), [[0.0, 0.5, 1.0]])


def test_over_keeps_and_replaces() -> None:
    """A mask of 0 keeps the base and a mask of 1 replaces it."""
    base, top = np.zeros((3, 1, 2), np.float32), np.ones((3, 1, 2), np.float32)
    np.testing.assert_array_equal(over(base, top, np.array([[0.0, 1.0]]))[:, 0], [[0.0, 1.0]] * 3)


def test_pixels_round_and_clip() -> None:
    """0 and 1 become 0 and 255, what lies outside is clipped, colours come last."""
    shown = np.array([[[-0.5, 1.5]], [[0.0, 1.0]], [[0.5, 0.2]]], dtype=np.float32)
    np.testing.assert_array_equal(to_pixels(shown), [[[0, 0, 128], [255, 255, 51]]])
