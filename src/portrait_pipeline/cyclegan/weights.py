"""How the weights of all four networks begin (Zhu et al. 2017, section 7.2)."""

import torch
from torch import nn

STANDARD_DEVIATION = 0.02


@torch.no_grad()
def initialise_weights(network: nn.Module, generator: torch.Generator) -> None:
    """Draw every convolution's weights from N(0, 0.02) and set its bias to zero.

    Args:
        network: A generator or a discriminator on the CPU; changed in place.
        generator: Where the numbers come from; the same one gives the same weights.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.weight.normal_(0.0, STANDARD_DEVIATION, generator=generator)
            if layer.bias is not None:
                layer.bias.zero_()
