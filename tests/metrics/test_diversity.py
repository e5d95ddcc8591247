"""Laws of diversity: collapse is 0, the photos themselves are 1, noise is not diversity."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate, pdist

from portrait_pipeline.metrics.diversity import diversity

HOUSE = (-1.0, 1.0)
ROUNDS = 200


def faces(count: int, seed: int) -> Tensor:
    """Pictures that differ in large shapes."""
    generator = torch.Generator().manual_seed(seed)
    shapes = torch.rand(count, 3, 8, 8, generator=generator) - 0.5
    return interpolate(shapes, size=(64, 64), mode="bilinear")


def test_the_photos_themselves_have_one() -> None:
    """A set is as varied as itself, without any doubt, in any order."""
    photos = faces(12, seed=0)
    result = diversity(photos, photos, HOUSE, ROUNDS, 0)
    assert (result.value, result.low, result.high) == pytest.approx((1.0, 1.0, 1.0))
    assert diversity(photos.flip(0), photos, HOUSE, ROUNDS, 0).value == pytest.approx(1.0)
    assert result.n == 12


def test_collapse_is_zero() -> None:
    """One portrait for every photo has no diversity."""
    photos = faces(8, seed=1)
    assert diversity(photos[:1].expand(8, -1, -1, -1), photos, HOUSE, ROUNDS, 0).value < 1e-6


def test_fresh_noise_on_one_face_is_still_a_collapse() -> None:
    """Grain that differs from portrait to portrait does not pass for diversity."""
    photos = faces(8, seed=2)
    grain = 0.3 * torch.randn(photos.shape, generator=torch.Generator().manual_seed(3))
    portraits = (photos[:1] + grain).clamp(-1.0, 1.0)
    assert diversity(portraits, photos, HOUSE, ROUNDS, 0).value < 0.5


def test_halved_contrast_is_half_the_diversity() -> None:
    """Distances scale with contrast."""
    photos = faces(10, seed=4)
    assert diversity(0.5 * photos, photos, HOUSE, ROUNDS, 0).value == pytest.approx(0.5)


def test_is_the_root_mean_square_over_all_pairs() -> None:
    """The closed form equals the plain way over every pair of thumbnails."""
    portraits, photos = faces(7, seed=5), 0.5 * faces(9, seed=6)
    plain = [
        pdist(adaptive_avg_pool2d(images, 16).flatten(1)).square().mean().sqrt()
        for images in (portraits, photos)
    ]
    result = diversity(portraits, photos, HOUSE, ROUNDS, 0)
    assert result.value == pytest.approx(float(plain[0] / plain[1]), rel=1e-5)
    assert result.low < result.value < result.high


def test_what_does_not_fit_is_refused() -> None:
    """One picture alone, photos all alike, and the wrong range raise."""
    photos = faces(4, seed=7)
    with pytest.raises(ValueError, match="at least 2"):
        diversity(photos[:1], photos, HOUSE, ROUNDS, 0)
    with pytest.raises(ValueError, match="photos are all the same"):
        diversity(photos, torch.zeros(4, 3, 32, 32), HOUSE, ROUNDS, 0)
    with pytest.raises(ValueError, match="expected data_range"):
        diversity(photos * 5.0, photos, HOUSE, ROUNDS, 0)
