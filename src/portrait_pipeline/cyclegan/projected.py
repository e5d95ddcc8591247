"""Discriminators that look at a picture through a network which has seen the world."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from portrait_pipeline.cyclegan.networks import LEAK
from portrait_pipeline.efficientnet_lite import LITE1, STAGE_CHANNELS, load_network

STAGES = (0, 1, 2, 4, 6)
"""Of EfficientNet-Lite1, the last of each stride: 2, 4, 8, 16 and 32 pixels."""
NUM_HALVINGS = (2, 2, 1, 1, 0)
FEATURE_DEVIATIONS = (5.5, 9.7, 9.2, 8.6, 2.6)
"""Standard deviations after these stages over 40 photographs and 40 paintings of 128 px."""
MIXING_SEED = 0


class FeatureDiscriminator(nn.Module):
    """Classifies patches of a map of features: one logit for each, high for real.

    The channels are mixed at random into features of deviation 1, by the same numbers in every
    training and without ever learning: a discriminator that chose its channels would look at a few
    of them alone (Sauer et al. 2021, section 3.2). What follows has no norm: an instance norm here
    gave portraits of waves.

    Args:
        stage: The number of the stage, an element of `STAGES`.
        num_filters: Width of its layers.
    """

    mixing: Tensor

    def __init__(self, stage: int, num_filters: int) -> None:
        super().__init__()
        depth = STAGES.index(stage)
        num_channels = STAGE_CHANNELS[stage]
        generator = torch.Generator().manual_seed(MIXING_SEED + depth)
        mixing = torch.randn(num_filters, num_channels, 1, 1, generator=generator)
        scale = math.sqrt(num_channels) * FEATURE_DEVIATIONS[depth]
        self.register_buffer("mixing", mixing / scale, persistent=False)
        layers: list[nn.Module] = []
        for size, stride in [*[(4, 2)] * NUM_HALVINGS[depth], (3, 1)]:
            layers += [
                nn.Conv2d(num_filters, num_filters, size, stride, padding=1),
                nn.LeakyReLU(LEAK, inplace=True),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(num_filters, 1, 1))

    def forward(
        self, features: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch 1 rows columns"]:
        """Return the patch logits; no sigmoid is applied."""
        logits: Tensor = self.layers(functional.conv2d(features, self.mixing))
        return logits


class ProjectedDiscriminator(nn.Module):
    """Discriminators on the features of a frozen ImageNet network (Sauer et al. 2021).

    A discriminator of a few thousand steps knows grain and colours; one that starts with features
    of objects, materials and manner sees from the first step what parts a painting from a
    photograph. As in Projected GANs one small discriminator looks at each of several depths, losses
    are means over them, and gradients pass through the frozen layers to the generator; depths are
    not mixed with one another here.

    The network is EfficientNet-Lite1, never the Lite0 whose features score portraits.

    Args:
        num_filters: Width of each.
    """

    def __init__(self, num_filters: int) -> None:
        super().__init__()
        self.network = load_network(LITE1)
        self.heads = nn.ModuleList(FeatureDiscriminator(stage, num_filters) for stage in STAGES)

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> tuple[Tensor, ...]:
        """Return the patch logits of images in [-1, 1], those of the finest features first."""
        found = self.network.stages(images, STAGES)
        return tuple(head(features) for head, features in zip(self.heads, found, strict=True))
