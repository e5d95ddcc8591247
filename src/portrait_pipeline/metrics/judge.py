"""The judge: from face crops to descriptors whose cosine says how alike two faces are."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, UInt8

from portrait_pipeline.identity import Embedder, load_embedder
from portrait_pipeline.identity.fixed_crop import HOUSE_MARGIN
from portrait_pipeline.identity.landmarks import find_landmarks
from portrait_pipeline.images import to_model_range
from portrait_pipeline.metrics.geometry import shape_descriptors
from portrait_pipeline.parameters import Judge

BATCH_SIZE = 16

JudgeFunction = Callable[[UInt8[np.ndarray, "faces size size 3"]], Float[np.ndarray, "faces dim"]]


def load_judge(
    name: Judge, weights: str | None = None, margin: float = HOUSE_MARGIN
) -> JudgeFunction:
    """Load what scores portraits, one definition for all judges: the cosine of descriptors.

    Args:
        name: `geometry` (the shape of 68 landmarks) or one of the face networks.
        weights: File of FaceNet's or FaceRes's weights; without it they come from the cache or,
            FaceNet's, from the network.
        margin: `faces.margin` with which the crops were cut.

    Returns:
        A function of uint8 crops: centred descriptors, strangers around cosine 0.

    Raises:
        PortraitPipelineError: if the network's weights cannot be had.
    """
    if name == "geometry":
        return lambda crops: shape_descriptors(find_landmarks(crops, margin))
    embedder = load_embedder(name, weights, margin)
    return lambda crops: embed_crops(crops, embedder)


@torch.no_grad()
def embed_crops(
    crops: UInt8[np.ndarray, "faces size size 3"], embedder: Embedder
) -> Float[np.ndarray, "faces dim"]:
    """Embed crops in batches; a row does not depend on the rows beside it."""
    if len(crops) == 0:
        return np.empty((0, embedder.embedding_size), dtype=np.float32)
    starts = range(0, len(crops), BATCH_SIZE)
    batches = [embedder(to_model_range(crops[start : start + BATCH_SIZE])) for start in starts]
    return np.ascontiguousarray(torch.cat(batches).cpu().numpy())
