"""Features of EfficientNet-Lite0, which tell paintings from photographs."""

from functools import cache
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor, nn
from torch.nn import functional

from portrait_pipeline.efficientnet_lite import (
    LITE0,
    NUM_POOLED,
    Block,
    EfficientNetLite,
    load_network,
)

INPUT_SIZE_PX = 224
NUM_EARLY = 144
_EARLY_BLOCK = 2
_MEAN, _SCALE = 127.0, 128.0
BATCH_SIZE = 8
"""Pictures at once: few enough that a layer stays near the processor, which halves the time."""

Crops = UInt8[np.ndarray, "pictures height width 3"]
FeatureRows = Float32[np.ndarray, "pictures 1424"]
"""Of each picture 1280 pooled features, then 144 early ones."""


class LiteFeatures(nn.Module):
    """From uint8 RGB pictures of any size to their features, averaged over places."""

    def __init__(self, network: EfficientNetLite) -> None:
        super().__init__()
        self.network = network

    @torch.no_grad()
    def forward(self, pixels: UInt8[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 1424"]:
        """Resize to 224 px (bicubic, antialiased), scale to (x − 127) / 128, and look."""
        resized = functional.interpolate(
            pixels.to(torch.float32), (INPUT_SIZE_PX, INPUT_SIZE_PX), mode="bicubic", antialias=True
        )
        blocks = self.network.blocks
        features = self.network.stem((resized.clamp(0.0, 255.0) - _MEAN) / _SCALE)
        for block in blocks[:_EARLY_BLOCK]:
            features = block(features)
        filtered = cast(Block, blocks[_EARLY_BLOCK]).widen_and_filter(features)
        for block in blocks[_EARLY_BLOCK:]:
            features = block(features)
        found = self.network.head(features)
        return torch.cat([found.mean(dim=(2, 3)), filtered.mean(dim=(2, 3))], dim=1)


@cache
def load_efficientnet_lite() -> LiteFeatures:
    """Load the network once; see `load_network` for what it raises."""
    return LiteFeatures(load_network(LITE0))


def lite_features(crops: Crops, network: nn.Module | None = None) -> FeatureRows:
    """Compute the features of uint8 pictures; a row does not depend on the rows beside it.

    Args:
        crops: RGB pictures in [0, 255].
        network: From `load_efficientnet_lite`, which is loaded where none is given.
    """
    looks = network or load_efficientnet_lite()
    rows = [np.empty((0, NUM_POOLED + NUM_EARLY), dtype=np.float32)]
    for start in range(0, len(crops), BATCH_SIZE):
        batch = np.ascontiguousarray(crops[start : start + BATCH_SIZE].transpose(0, 3, 1, 2))
        rows.append(looks(torch.from_numpy(batch)).cpu().numpy())
    return np.concatenate(rows)


def pooled(rows: FeatureRows) -> Float[Tensor, "pictures 1280"]:
    """Take the features of the last layer: objects, materials, manner."""
    return torch.from_numpy(rows[:, :NUM_POOLED])


def early(rows: FeatureRows) -> Float[Tensor, "pictures 144"]:
    """Take the filters of the third block, at 56 px: grain, edges, checkerboards."""
    return torch.from_numpy(rows[:, NUM_POOLED:])
