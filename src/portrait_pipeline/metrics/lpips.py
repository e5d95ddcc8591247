"""LPIPS (Zhang et al. 2018): how far a portrait has moved from its photo, as people see it.

Network and weights are others': torchmetrics brings the small weights of the metric, torchvision
publishes the backbone. Where the backbone cannot be had there is no number, and the reason is said.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from portrait_pipeline.downloads import DownloadError
from portrait_pipeline.metrics.ranges import HOUSE_RANGE, check_pairs
from portrait_pipeline.metrics.weights import fetch_published_weights

Backbone = Literal["alex", "squeeze", "vgg"]

BACKBONE_URLS: dict[Backbone, str] = {
    "alex": "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    "squeeze": "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",
    "vgg": "https://download.pytorch.org/models/vgg16-397923af.pth",
}
_PAIRS_AT_ONCE = 64


@dataclass(frozen=True)
class LpipsDistances:
    """One distance per pair, or NaN for each and the reason why there is no number."""

    values: Float[Tensor, " batch"]
    reason: str | None


def lpips_distance(
    images_a: Float[Tensor, "batch 3 height width"],
    images_b: Float[Tensor, "batch 3 height width"],
    backbone: Backbone = "alex",
) -> LpipsDistances:
    """Measure the perceptual distance of each pair of house images; 0 is the same picture.

    Unrelated pictures lie around 0.7. It tells how much was changed, not whether for the better: a
    portrait that only copies its photo has 0.

    Args:
        images_a: Pictures in [-1, 1], 64 px or more.
        images_b: Their counterparts, in the same order.
        backbone: Network of the features; `alex` is the one that its authors recommend.

    Raises:
        ValueError: if shapes differ or values lie outside [-1, 1].
    """
    check_pairs(images_a, images_b, HOUSE_RANGE)
    try:
        fetch_published_weights(BACKBONE_URLS[backbone], "do without LPIPS")
    except DownloadError as error:
        nothing = torch.full((len(images_a),), torch.nan)
        return LpipsDistances(nothing, f"LPIPS is left out: {error}")
    return LpipsDistances(_measure(images_a, images_b, backbone), None)


@torch.no_grad()
def _measure(images_a: Tensor, images_b: Tensor, backbone: Backbone) -> Tensor:
    # Imported when used: torchmetrics takes seconds, and every command would wait for it.
    from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity  # noqa: PLC0415

    metric = LearnedPerceptualImagePatchSimilarity(net_type=backbone, reduction="none")
    pairs = zip(
        torch.split(images_a.float(), _PAIRS_AT_ONCE),
        torch.split(images_b.float(), _PAIRS_AT_ONCE),
        strict=True,
    )
    # The network itself: the metric around it drops the batch dimension of a single pair.
    return torch.cat([metric.net(a, b).flatten() for a, b in pairs])
