"""A blend of two pictures has the grain of both."""

import numpy as np
import pytest

from portrait_pipeline.faces.grain import blend_with_grain


def test_grain_keeps_its_strength_where_both_show() -> None:
    """Two independent grains, half and half, are as strong as each; a plain mean is 0.71 of it."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(128, 10, (2, 96, 96, 3))
    half = np.full((96, 96), 0.5)
    blended = blend_with_grain(first, second, half)
    assert blended.std() == pytest.approx(first.std(), rel=0.06)
    assert ((first + second) / 2).std() < 0.75 * first.std()


def test_equal_layers_and_whole_layers_come_back() -> None:
    """Nothing is invented: a layer blended with itself is itself, and so are opacities 0 and 1."""
    first, second = np.random.default_rng(0).uniform(0, 255, (2, 40, 50, 3))
    ramp = np.tile(np.linspace(0, 1, 50), (40, 1))
    assert np.allclose(blend_with_grain(first, first, ramp), first, atol=1e-3)
    blended = blend_with_grain(first, second, ramp)
    assert np.allclose(blended[:, 0], first[:, 0])
    assert np.allclose(blended[:, -1], second[:, -1])
