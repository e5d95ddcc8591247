"""What the tests of the drawing share."""

import numpy as np
import pytest

from portrait_pipeline.sample.capture import Capture, draw_capture


@pytest.fixture
def rng() -> np.random.Generator:
    """A seeded generator."""
    return np.random.default_rng(0)


@pytest.fixture
def capture() -> Capture:
    """A pose, light and expression."""
    return draw_capture(np.random.default_rng(1))
