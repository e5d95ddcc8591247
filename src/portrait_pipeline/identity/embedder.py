"""One interface for every face network: crops in, unit vectors out, gradients through."""

import hashlib
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from portrait_pipeline.identity.fixed_crop import FixedCrop
from portrait_pipeline.images import HALF_RANGE


class Embedder(nn.Module):
    """A frozen face network that owns its crop, its size, its scaling and its centre.

    It stays in eval mode even after `.train()`, has no trainable parameter, computes in float32
    also under autocast, and lets gradients reach its input. A FaceSet's crops go in as they are.

    Args:
        name: The network's name, as in `parameters.Teacher`.
        network: From RGB faces in [0, 255] (batch, 3, size, size) to raw descriptors.
        crop: The window that the network sees of a crop.
        common_part: What the raw descriptors of all faces share, subtracted before normalising;
            zeros for a network whose strangers are already orthogonal.
    """

    def __init__(
        self,
        name: str,
        network: nn.Module,
        crop: FixedCrop,
        common_part: Float[Tensor, " dim"],
    ) -> None:
        super().__init__()
        self.name = name
        self.crop = crop
        self.network = network
        self.register_buffer("common_part", common_part.to(torch.float32))
        self.requires_grad_(False)
        self.eval()
        self.network_hash = _hash_of(self)

    common_part: Tensor

    @property
    def embedding_size(self) -> int:
        """Number of values in one embedding."""
        return int(self.common_part.shape[0])

    def train(self, mode: bool = True) -> Self:
        """Stay in eval mode: a frozen network has nothing to learn and its statistics are fixed."""
        return super().train(False)

    def descriptors(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch dim"]:
        """Compute the network's raw descriptors, neither centred nor normalised.

        For dlib these obey its own rule: nearer than 0.6 means the same person.
        """
        with torch.autocast(images.device.type, enabled=False):
            faces = self.crop(images.to(torch.float32)).add(1.0).mul(HALF_RANGE)
            raw: Tensor = self.network(faces)
        return raw

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch dim"]:
        """Embed face crops, images in [-1, 1], as float32 vectors of length one.

        The squared distance of two embeddings is 2(1 − cosine), in [0, 4]; between strangers it
        is 2 on average, whichever the network.
        """
        with torch.autocast(images.device.type, enabled=False):
            return functional.normalize(self.descriptors(images) - self.common_part, dim=1)


def _hash_of(embedder: Embedder) -> str:
    """SHA-256 over everything that decides an embedding: name, crop and every tensor."""
    digest = hashlib.sha256(f"{embedder.name} {embedder.crop}".encode())
    for key, tensor in embedder.state_dict().items():
        digest.update(key.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
