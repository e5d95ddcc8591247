"""Use of a trained model: take a generator from a checkpoint and translate pictures."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from portrait_pipeline.cyclegan.services import Checkpoint
from portrait_pipeline.cyclegan.state import build_generator
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.images import to_model_range, to_pixels
from portrait_pipeline.parameters import TrainingParameters

GeneratorName = Literal["photo_to_portrait", "portrait_to_photo"]


def load_generator(
    checkpoint: Checkpoint, direction: GeneratorName, averaged: bool = True
) -> nn.Module:
    """Rebuild one generator of a checkpoint, frozen and in eval mode, on the CPU.

    Args:
        checkpoint: What a training returned or the catalog loaded.
        direction: `photo_to_portrait` (the report's G) or `portrait_to_photo` (F).
        averaged: Take the running average of the weights, steadier than those of the last step.

    Raises:
        PortraitPipelineError: if the checkpoint lacks that generator or is of another architecture
            than its own parameters say.
    """
    group = "averaged_generators" if averaged else "networks"
    try:
        parameters = TrainingParameters(**checkpoint["parameters"])
        weights = checkpoint[group][direction]
    except (KeyError, TypeError, ValueError) as error:
        raise PortraitPipelineError(
            f"the checkpoint has no usable {group}.{direction} ({error}), expected one made by"
            " `kedro run --pipeline=train_baseline` or `train_proposed` of this version"
        ) from error
    generator = build_generator(parameters)
    try:
        generator.load_state_dict(weights)
    except RuntimeError as error:
        raise PortraitPipelineError(
            f"the checkpoint's {direction} is of another architecture than its parameters say"
            f" ({parameters.num_generator_filters} filters, {parameters.num_residual_blocks}"
            f" blocks, {parameters.upsampling}); train it again with"
            " `kedro run --pipeline=train_baseline` or `train_proposed`"
        ) from error
    return generator.eval().requires_grad_(False)


class MeanGenerator(nn.Module):
    """Paints the mean of what several generators paint (Hansen and Salamon 1990).

    The marks that one training leaves and another does not are halved; what both see stays.

    Args:
        generators: At least one; each maps images to images of the same size, NCHW in [-1, 1].
    """

    def __init__(self, generators: Sequence[nn.Module]) -> None:
        super().__init__()
        self.generators = nn.ModuleList(generators)

    def forward(
        self, photos: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """Average the portraits, pixel by pixel."""
        return torch.stack([generator(photos) for generator in self.generators]).mean(dim=0)


def load_mean_generator(
    checkpoints: Sequence[Checkpoint], direction: GeneratorName, averaged: bool = True
) -> nn.Module:
    """Rebuild the generator of a checkpoint, or of several the mean; see `load_generator`."""
    generators = [load_generator(checkpoint, direction, averaged) for checkpoint in checkpoints]
    return generators[0] if len(generators) == 1 else MeanGenerator(generators).eval()


@torch.inference_mode()
def translate(
    generator: nn.Module, pixels: UInt8[np.ndarray, "batch height width 3"], batch_size: int
) -> UInt8[np.ndarray, "batch height width 3"]:
    """Translate uint8 pictures in [0, 255] to uint8 pictures, `batch_size` at a time."""
    device = next(generator.parameters()).device
    parts = [
        to_pixels(generator(to_model_range(pixels[start : start + batch_size]).to(device)))
        for start in range(0, len(pixels), batch_size)
    ]
    return np.concatenate(parts) if parts else np.empty_like(pixels)
