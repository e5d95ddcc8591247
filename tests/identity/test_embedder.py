"""Every embedder: frozen, always in eval mode, unit vectors in float32, gradients to the input."""

from pathlib import Path

import pytest
import torch
import yaml
from torch import Tensor, nn

from portrait_pipeline.identity import Embedder
from portrait_pipeline.identity.fixed_crop import FaceWindow, FixedCrop
from portrait_pipeline.identity.loading import DLIB_WINDOW, FACENET_WINDOW, FACERES_WINDOW
from portrait_pipeline.parameters import FaceParameters

ROOT = Path(__file__).resolve().parents[2]
CROP = FixedCrop(left=0.1, top=0.1, wide=0.8, high=0.8, size_px=12)


class TinyNetwork(nn.Module):
    """A seeded stand-in with a dropout, which eval mode must silence."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.layers = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(3 * 12 * 12, 5))
        weight = torch.randn(5, 3 * 12 * 12, generator=generator) / 255
        self.layers[2].weight = nn.Parameter(weight)
        nn.init.zeros_(self.layers[2].bias)
        self.seen: Tensor | None = None

    def forward(self, faces: Tensor) -> Tensor:
        self.seen = faces.detach()
        return self.layers(faces)


def tiny_embedder(common_part: Tensor | None = None) -> Embedder:
    """Make an embedder around the stand-in."""
    part = torch.zeros(5) if common_part is None else common_part
    return Embedder("dlib", TinyNetwork(), CROP, part)


def test_unit_norm_also_under_autocast(noise: Tensor) -> None:
    """Embeddings have length one in float32, and autocast to bfloat16 changes nothing in them."""
    embedder = tiny_embedder()
    plain = embedder(noise)
    with torch.autocast("cpu", torch.bfloat16):
        cast = embedder(noise)
    torch.testing.assert_close(plain.norm(dim=1), torch.ones(2))
    assert cast.dtype == torch.float32
    assert torch.equal(plain, cast)


def test_bfloat16_images_are_embedded_in_float32(noise: Tensor) -> None:
    """What a generator makes under autocast is widened before anything is computed of it."""
    assert tiny_embedder()(noise.bfloat16()).dtype == torch.float32


def test_stays_frozen_after_train(noise: Tensor) -> None:
    """`.train()` changes nothing: no dropout, no trainable parameter."""
    embedder = tiny_embedder()
    before = embedder(noise)
    embedder.train()
    assert not any(module.training for module in embedder.modules())
    assert not any(parameter.requires_grad for parameter in embedder.parameters())
    assert torch.equal(before, embedder(noise))


def test_gradients_reach_the_input(noise: Tensor) -> None:
    """The gradient at the image is that of finite differences, and none is kept for the weights."""
    embedder = tiny_embedder()
    target = torch.nn.functional.normalize(torch.ones(1, 5), dim=1)

    def distance(images: Tensor) -> Tensor:
        return (embedder(images) - target).square().sum()

    (gradient,) = torch.autograd.grad(distance(noise), noise)
    step = 1e-2 * gradient / gradient.norm()
    slope = (distance(noise + step) - distance(noise - step)) / 2e-2
    torch.testing.assert_close(slope.detach(), gradient.norm(), rtol=1e-2, atol=0)
    assert all(parameter.grad is None for parameter in embedder.parameters())


def test_the_network_sees_pixels() -> None:
    """Images in [-1, 1] reach the network as [0, 255]."""
    embedder = tiny_embedder()
    embedder(torch.full((1, 3, 64, 64), -1.0))
    assert embedder.network.seen.abs().max() < 1e-3
    embedder(torch.full((1, 3, 64, 64), 1.0))
    torch.testing.assert_close(embedder.network.seen, torch.full((1, 3, 12, 12), 255.0))


def test_the_common_part_is_taken_away(noise: Tensor) -> None:
    """An embedding is the direction of the raw descriptor as seen from the common part."""
    common = torch.tensor([1.0, -2.0, 0.5, 0.0, 3.0])
    embedder = tiny_embedder(common)
    expected = embedder.descriptors(noise) - common
    expected = expected / expected.norm(dim=1, keepdim=True)
    torch.testing.assert_close(embedder(noise), expected)


def test_the_hash_knows_network_crop_and_centre() -> None:
    """Embedders that differ in a weight, the window or the centre have different hashes."""
    other_crop = FixedCrop(left=0.1, top=0.1, wide=0.8, high=0.7, size_px=12)
    changed = TinyNetwork()
    changed.layers[2].bias.data += 1.0
    same = {tiny_embedder().network_hash for _ in range(2)}
    hashes = same | {
        tiny_embedder(torch.ones(5)).network_hash,
        Embedder("dlib", TinyNetwork(), other_crop, torch.zeros(5)).network_hash,
        Embedder("dlib", changed, CROP, torch.zeros(5)).network_hash,
    }
    assert len(hashes) == 4


@pytest.mark.parametrize("size_px", [32, 64, 256])
def test_any_picture_size(size_px: int) -> None:
    """The embedder resizes by itself."""
    assert tiny_embedder()(torch.zeros(2, 3, size_px, size_px) + 0.1).shape == (2, 5)


def seen_of_a_crop(window: FaceWindow, margin: float) -> str:
    """Word the part of a crop that a network sees, as docs/metrics.md does."""
    crop = window.in_crops(margin)
    if (crop.wide, crop.high) == (1.0, 1.0):
        return "everything"
    if crop.wide == crop.high:
        return f"{100 * crop.wide:.0f} % on each axis"
    return f"{100 * crop.wide:.0f} % of the width and {100 * crop.high:.0f} % of the height"


def test_the_documents_say_what_of_a_crop_each_judge_sees() -> None:
    """The windows are those of the loader, in crops with the margin of conf/base."""
    settings = yaml.safe_load((ROOT / "conf/base/parameters_ingestion.yml").read_text("utf-8"))
    margin = FaceParameters(**settings["faces"]).window_margin
    dlib, facenet, faceres = (
        seen_of_a_crop(window, margin) for window in (DLIB_WINDOW, FACENET_WINDOW, FACERES_WINDOW)
    )
    said = f"dlib sees {dlib}, FaceNet {facenet}, FaceRes {faceres}, hair and background included"
    assert said in " ".join((ROOT / "docs/metrics.md").read_text("utf-8").split())
