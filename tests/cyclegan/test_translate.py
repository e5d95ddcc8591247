"""Laws of the use of a trained model."""

from typing import Any

import pytest
import torch

from portrait_pipeline.cyclegan.train import train_cyclegan
from portrait_pipeline.cyclegan.translate import load_generator, translate
from portrait_pipeline.errors import (
    PortraitPipelineError,
)

NAMED: dict[str, Any] = {"model_name": "baseline", "preparation": {"margin": 0.35}}


def test_a_trained_model_translates(data, parameters, services, tmp_path):
    """Law: the checkpoint loads with `weights_only` and its generators translate uint8 to uint8."""
    torch.save(train_cyclegan(data, parameters(num_epochs=1), services, **NAMED), tmp_path / "a.pt")
    checkpoint = torch.load(tmp_path / "a.pt", weights_only=True)
    generator = load_generator(checkpoint, "photo_to_portrait")
    assert not generator.training
    assert not any(weight.requires_grad for weight in generator.parameters())
    paintings = translate(generator, data.photos.pixels, 2)
    assert paintings.shape == data.photos.pixels.shape
    assert paintings.dtype == data.photos.pixels.dtype
    last = load_generator(checkpoint, "photo_to_portrait", averaged=False)
    assert (translate(last, data.photos.pixels, 2) != paintings).any()
    assert len(translate(generator, data.photos.pixels[:0], 2)) == 0


def test_a_checkpoint_of_another_architecture_is_refused(data, parameters, services):
    """Law: one sentence says what was expected and how to fix it."""
    checkpoint = train_cyclegan(data, parameters(num_epochs=1), services, **NAMED)
    wider = checkpoint["parameters"] | {"num_generator_filters": 8}
    with pytest.raises(PortraitPipelineError, match=r"is of another architecture.*8 filters"):
        load_generator(checkpoint | {"parameters": wider}, "portrait_to_photo")
    with pytest.raises(PortraitPipelineError, match=r"no usable averaged_generators"):
        load_generator({"parameters": checkpoint["parameters"]}, "portrait_to_photo")
