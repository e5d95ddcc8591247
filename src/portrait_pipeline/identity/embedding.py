"""The one loop that embeds: crops in batches, as they are or with their mirror images."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from portrait_pipeline.images import FaceSet, to_model_range

BATCH_SIZE = 16

Network = Callable[[Float[Tensor, "batch 3 size size"]], Float[Tensor, "batch dim"]]
Crops = UInt8[np.ndarray, "faces size size 3"]


def embed_crops(crops: Crops, embedder: Network) -> Float32[np.ndarray, "faces dim"]:
    """Embed crops; a row does not depend on the rows beside it. Without crops there is no row."""
    return embed_pairs(crops, embedder, mirrored=False)[:, 0]


@torch.no_grad()
def embed_pairs(
    crops: Crops | FaceSet,
    embedder: Network,
    device: torch.device | str = "cpu",
    *,
    mirrored: bool = True,
) -> Float32[np.ndarray, "faces views dim"]:
    """Embed crops as they are ([:, 0]) and, if asked for, mirrored ([:, 1]).

    Args:
        crops: Face crops, uint8 RGB; of a memory-mapped set one batch is read at a time.
        embedder: From images in [-1, 1] to embeddings, on `device`.
        device: Where the network is.
        mirrored: Whether the mirror images are embedded too.
    """
    parts = []
    for start in range(0, max(len(crops), 1), BATCH_SIZE):
        rows = np.arange(start, min(start + BATCH_SIZE, len(crops)))
        images = to_model_range(crops[rows]).to(device)
        views = [embedder(images), embedder(images.flip(3))] if mirrored else [embedder(images)]
        parts.append(torch.stack(views, dim=1).cpu())
    return np.ascontiguousarray(torch.cat(parts).numpy())
