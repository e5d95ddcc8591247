"""Kernel Inception Distance (Bińkowski et al. 2018): how far a set is from real paintings.

The squared maximum mean discrepancy between Inception features of two sets, with the kernel
(x·y / d + 1)³. The network and its weights are torch-fidelity's (the TensorFlow network that FID
and KID were defined with), the estimate is torchmetrics'; nothing of either is written here.
Where the weights cannot be loaded there is no number, and the reason is said.
"""

import pickle
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from portrait_pipeline.downloads import DownloadError
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.images import to_pixels
from portrait_pipeline.metrics.intervals import Interval
from portrait_pipeline.metrics.ranges import MODEL_RANGE, check_range
from portrait_pipeline.metrics.weights import fetch_published_weights

WEIGHTS_URL = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth"
)
NUM_SUBSETS = 100
SMALLEST_SET = 4
BATCH_SIZE = 16

_HINT = "name the file with --params evaluation.inception_weights=FILE, or do without KID"
_NORMAL_95 = 1.96


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


def kid(
    images_a: Float[Tensor, "pictures_a 3 height width"],
    images_b: Float[Tensor, "pictures_b 3 height width"],
    network: nn.Module | None,
    seed: int,
) -> Interval:
    """Measure the distance between two sets of images in [-1, 1]; lower is closer.

    Unbiased, so that sets of any size have the same expectation, and a set against others of its
    kind lies about 0, also just below. Between paintings and photographs it is of the order of
    0.1. Without a network it is not a number.

    Args:
        images_a: Pictures in [-1, 1].
        images_b: Other pictures in [-1, 1].
        network: From `load_inception`; None where its weights could not be loaded.
        seed: Draws the subsets.

    Raises:
        ValueError: if a set has fewer than four pictures or values lie outside [-1, 1].
    """
    if network is None:
        return no_kid(min(len(images_a), len(images_b)))
    return kid_of_features(
        inception_features(images_a, network), inception_features(images_b, network), seed
    )


def no_kid(num_pictures: int) -> Interval:
    """Return what stands in a table where KID could not be measured."""
    return Interval(np.nan, np.nan, np.nan, num_pictures)


@torch.no_grad()
def inception_features(
    images: Float[Tensor, "pictures 3 height width"], network: nn.Module
) -> Float[Tensor, "pictures features"]:
    """Compute the features of images in [-1, 1] in batches; those of paintings serve many models.

    Raises:
        ValueError: if values lie outside [-1, 1].
    """
    check_range(images, MODEL_RANGE, "images")
    pixels = torch.from_numpy(to_pixels(images)).permute(0, 3, 1, 2)
    features = [network(batch.contiguous()) for batch in torch.split(pixels, BATCH_SIZE)]
    return torch.cat(features).to(torch.float32)


def kid_of_features(
    features_a: Float[Tensor, "pictures_a features"],
    features_b: Float[Tensor, "pictures_b features"],
    seed: int,
) -> Interval:
    """Measure the distance between two sets of features; see `kid`.

    The estimate is averaged over 100 random halves of the sets. Halves drawn without replacement
    scatter about the whole as whole sets do about the truth, so 1.96 of their standard deviations
    bound the 95 % interval.

    Raises:
        ValueError: if a set has fewer than four pictures.
    """
    num_pictures = min(len(features_a), len(features_b))
    if num_pictures < SMALLEST_SET:
        raise ValueError(f"a set has {num_pictures} pictures, expected {SMALLEST_SET} or more")
    metric = _torchmetrics_kid(num_pictures // 2)
    metric.update(features_a, real=True)
    metric.update(features_b, real=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        mean, deviation = (float(value) for value in metric.compute())
    half_width = _NORMAL_95 * deviation
    return Interval(mean, mean - half_width, mean + half_width, num_pictures)


def _torchmetrics_kid(subset_size: int) -> Any:
    # Imported when used: torchmetrics takes seconds, and every command would wait for it.
    from torchmetrics.image.kid import KernelInceptionDistance  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save all")
        return KernelInceptionDistance(
            feature=nn.Identity(), subsets=NUM_SUBSETS, subset_size=subset_size
        )


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
    except (RuntimeError, EOFError, OSError, AttributeError, pickle.UnpicklingError) as error:
        raise PortraitPipelineError(
            f"inception_weights={path} does not hold the Inception weights"
            f" ({str(error).splitlines()[0]}), expected those of {WEIGHTS_URL}; {_HINT}"
        ) from error
    return _OneFeature(network).eval()
