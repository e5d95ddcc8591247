"""LPIPS (Zhang et al. 2018): how far a portrait has moved from its photo, as people see it.

Network and weights are others': torchmetrics brings the small weights of the metric, torchvision
publishes the backbone. Without a backbone there is no number, and the reason is said.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from portrait_pipeline.downloads import DownloadError
from portrait_pipeline.metrics.helpers.published_weights import fetch_published_weights
from portrait_pipeline.metrics.helpers.ranges import MODEL_RANGE, check_pairs

Backbone = Literal["alex", "squeeze", "vgg"]

BACKBONE_URLS: dict[Backbone, str] = {
    "alex": "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    "squeeze": "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",
    "vgg": "https://download.pytorch.org/models/vgg16-397923af.pth",
}
_PAIRS_AT_ONCE = 64

Measure = Callable[
    [Float[Tensor, "batch 3 height width"], Float[Tensor, "batch 3 height width"]],
    Float[Tensor, " batch"],
]


@dataclass(frozen=True)
class Lpips:
    """The metric, or why there is none.

    Attributes:
        network: Takes two batches of images in [-1, 1], gives one distance for each pair.
        reason: Why `network` is None.
    """

    network: Measure | None
    reason: str | None


def load_lpips(backbone: Backbone = "alex") -> Lpips:
    """Load LPIPS with a backbone from PyTorch's cache, else from torchvision's release.

    Args:
        backbone: Network of the features; `alex` is the one that its authors recommend.
    """
    try:
        fetch_published_weights(BACKBONE_URLS[backbone], "do without LPIPS")
    except DownloadError as error:
        return Lpips(None, str(error))
    # Imported when used: torchmetrics takes seconds, and every command would wait for it.
    from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity  # noqa: PLC0415

    # The network itself: the metric around it drops the batch dimension of a single pair.
    return Lpips(LearnedPerceptualImagePatchSimilarity(net_type=backbone).net, None)


@torch.no_grad()
def lpips_distance(
    images_a: Float[Tensor, "batch 3 height width"],
    images_b: Float[Tensor, "batch 3 height width"],
    network: Measure,
) -> Float[Tensor, " batch"]:
    """Measure the perceptual distance of each pair of images in [-1, 1]; 0 is the same picture.

    Unrelated pictures lie around 0.7. It tells how much was changed, not whether for the better: a
    portrait that only copies its photo has 0.

    Args:
        images_a: Pictures in [-1, 1], 64 px or more.
        images_b: Their counterparts, in the same order.
        network: From `load_lpips`.

    Raises:
        ValueError: if shapes differ or values lie outside [-1, 1].
    """
    check_pairs(images_a, images_b, MODEL_RANGE)
    pairs = zip(
        torch.split(images_a.float(), _PAIRS_AT_ONCE),
        torch.split(images_b.float(), _PAIRS_AT_ONCE),
        strict=True,
    )
    return torch.cat([network(a, b).flatten() for a, b in pairs])
