"""Inception's features, for the kernel distance as the field quotes it (KID).

The network and its weights are torch-fidelity's: the TensorFlow network that FID and KID were
defined with. Where the weights cannot be loaded there is no number, and the reason is said.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from portrait_pipeline.downloads import DownloadError
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.images import to_pixels
from portrait_pipeline.metrics.helpers.published_weights import fetch_published_weights
from portrait_pipeline.metrics.helpers.ranges import MODEL_RANGE, check_range

WEIGHTS_URL = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth"
)
BATCH_SIZE = 16

_HINT = "name the file with --params evaluation.inception_weights=FILE, or do without it"


@dataclass(frozen=True)
class Inception:
    """The feature network, or why there is none.

    Attributes:
        network: Takes uint8 pictures NCHW of any size, gives one row of features per picture.
        reason: Why `network` is None.
    """

    network: nn.Module | None
    reason: str | None


def load_inception(weights: str | None = None) -> Inception:
    """Load Inception from a file that the user names, else from the cache, else from its release.

    Raises:
        PortraitPipelineError: if a file that the user names is not there or holds something else.
    """
    if weights is not None:
        return Inception(_read_inception(Path(weights)), None)
    try:
        return Inception(_read_inception(fetch_published_weights(WEIGHTS_URL, _HINT)), None)
    except DownloadError as error:
        return Inception(None, str(error))


@torch.no_grad()
def inception_features(
    images: Float[Tensor, "pictures 3 height width"], network: nn.Module
) -> Float[Tensor, "pictures features"]:
    """Compute the features of images in [-1, 1] in batches.

    Raises:
        ValueError: if values lie outside [-1, 1].
    """
    check_range(images, MODEL_RANGE, "images")
    pixels = torch.from_numpy(to_pixels(images)).permute(0, 3, 1, 2)
    features = [network(batch.contiguous()) for batch in torch.split(pixels, BATCH_SIZE)]
    return torch.cat(features).to(torch.float32)


class _OneFeature(nn.Module):
    """The network's only output, taken out of its tuple."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        features: Tensor = self.network(pixels)[0]
        return features


def _read_inception(path: Path) -> nn.Module:
    from torch_fidelity.feature_extractor_inceptionv3 import (  # noqa: PLC0415
        FeatureExtractorInceptionV3,
    )

    if not path.is_file():
        raise PortraitPipelineError(
            f"inception_weights={path} is not there, expected the file {Path(WEIGHTS_URL).name}"
            f" from {WEIGHTS_URL}; {_HINT}"
        )
    try:
        # The library below loads the file without this restriction: refuse programs first.
        torch.load(path, map_location="cpu", weights_only=True)
        network = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], str(path))
    except Exception as error:  # torch raises what its parsers happen to raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise PortraitPipelineError(
            f"inception_weights={path} does not hold the Inception weights ({reason}), expected"
            f" those of {WEIGHTS_URL}; {_HINT}"
        ) from error
    return _OneFeature(network).eval()
