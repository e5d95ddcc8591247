"""The running average of a generator's weights, steadier than any single step's."""

import copy

import torch
from torch import nn


def averaged_copy(network: nn.Module) -> nn.Module:
    """Return a frozen copy of the network in eval mode, where its average will be kept."""
    return copy.deepcopy(network).eval().requires_grad_(False)


@torch.no_grad()
def update_average(averaged: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Move the average towards the network: a ← d a + (1 - d) w, with d = min(decay, (1+t)/(10+t)).

    The smaller decay of the first steps t keeps the random start out of the average of a short
    training. A decay of 0 makes the average the network itself.

    Args:
        averaged: What `averaged_copy` returned; changed in place.
        network: The network in training.
        decay: In [0, 1).
        step: Steps taken before this one.
    """
    warm = min(decay, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(averaged.parameters()), list(network.parameters()), 1.0 - warm)
