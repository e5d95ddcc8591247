import click
import numpy as np
import pytest
from pydantic import ValidationError

from portrait_pipeline.commands import portray
from portrait_pipeline.faces.crop import CropTransform
from portrait_pipeline.parameters import (
    MAX_PORTRAIT_PX,
    MIN_PORTRAIT_PX,
    PortrayingParameters,
)
from portrait_pipeline.portrait_command import portrait
from portrait_pipeline.portrayal.sizes import at_size, portrait_size_px


@pytest.mark.parametrize(
    ("edge_px", "asked_px", "size_px"),
    [(321.6, None, 322), (4000.0, None, MAX_PORTRAIT_PX), (0.2, None, 1), (321.6, 1024, 1024)],
)
def test_the_size_is_the_faces_own_unless_another_is_asked_for(
    edge_px: float, asked_px: int | None, size_px: int
) -> None:
    """At most 1,024 px, since no model paints more."""
    assert portrait_size_px(CropTransform(0.0, 0.0, edge_px), asked_px) == size_px


@pytest.mark.parametrize("command", [portrait, portray])
def test_every_command_takes_the_same_sizes(command: click.Command) -> None:
    """One rule, that of the settings, and of `POST /api/portrait` too."""
    (option,) = [each for each in command.params if "--size" in each.opts]
    assert isinstance(option.type, click.IntRange)
    assert (option.type.min, option.type.max) == (MIN_PORTRAIT_PX, MAX_PORTRAIT_PX)
    for wrong in (MIN_PORTRAIT_PX - 1, MAX_PORTRAIT_PX + 1):
        with pytest.raises(ValidationError, match="size_px"):
            PortrayingParameters(faces="all", paste_back=False, batch_size=1, size_px=wrong)


def test_another_size_keeps_the_picture() -> None:
    """A flat picture stays flat, and its own size changes nothing."""
    flat = np.full((64, 64, 3), 77, dtype=np.uint8)
    assert (at_size(flat, 200) == 77).all()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert np.array_equal(at_size(noise, 64), noise)
