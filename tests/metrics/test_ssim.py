"""Laws of structural similarity: agreement, self, symmetry, bounds, ranges."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import structural_similarity
from torch import Tensor

from portrait_pipeline.images import to_model_range
from portrait_pipeline.metrics.ssim import ssim, ssim_as_published

HOUSE = (-1.0, 1.0)


def noise(num_pictures: int, size_px: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(num_pictures, 3, size_px, size_px, generator=generator) * 2.0 - 1.0


def reference(images_a: Tensor, images_b: Tensor, data_range: float) -> list[float]:
    return [
        structural_similarity(
            a,
            b,
            data_range=data_range,
            channel_axis=0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for a, b in zip(images_a.double().numpy(), images_b.double().numpy(), strict=True)
    ]


def real_pictures(folder: Path, count: int, size: tuple[int, int]) -> Tensor:
    paths = sorted(folder.glob("*.jpg"))[:count]
    pixels = [np.asarray(Image.open(path).convert("RGB").resize(size)) for path in paths]
    return to_model_range(np.stack(pixels))


def test_agrees_with_scikit_image_on_real_pairs(shared_pictures: Path) -> None:
    """SSIM of float32 pictures equals scikit-image's in float64 to 1e-6, also on oblong ones."""
    photos = real_pictures(shared_pictures / "photos", 12, (160, 120))
    paintings = real_pictures(shared_pictures / "paintings", 12, (160, 120))
    close = (0.9 * photos + 0.1 * paintings).clamp(-1.0, 1.0)
    for other in (paintings, close):
        expected = reference(photos, other, 2.0)
        assert ssim(photos, other, HOUSE).tolist() == pytest.approx(expected, abs=1e-6)


def test_agrees_with_scikit_image_on_noise_of_any_range() -> None:
    """SSIM follows the declared range, be it [-1, 1], [0, 1] or [0, 255]."""
    a, b = noise(3, 40, seed=0), noise(3, 40, seed=1)
    b = (0.7 * a + 0.3 * b).contiguous()
    for scale, shift, data_range in ((1.0, 0.0, HOUSE), (0.5, 0.5, 1.0), (127.5, 127.5, 255.0)):
        width = 2.0 * scale
        expected = reference(a * scale + shift, b * scale + shift, width)
        assert ssim(a * scale + shift, b * scale + shift, data_range).tolist() == pytest.approx(
            expected, abs=1e-6
        )


def test_flat_pictures_are_compared_without_loss_of_digits() -> None:
    """Nearly constant pictures, where variances cancel, still agree with scikit-image to 1e-6."""
    a = 0.9 + 0.001 * noise(2, 32, seed=2)
    b = 0.9 + 0.001 * noise(2, 32, seed=3)
    assert ssim(a, b, HOUSE).tolist() == pytest.approx(reference(a, b, 2.0), abs=1e-6)


def test_a_picture_with_itself_is_one() -> None:
    """Only the same picture scores 1."""
    a = noise(2, 32, seed=4)
    assert ssim(a, a, HOUSE).tolist() == pytest.approx([1.0, 1.0], abs=1e-6)
    assert ssim_as_published(a, a).tolist() == pytest.approx([1.0, 1.0], abs=1e-6)


def test_is_symmetric() -> None:
    """SSIM(a, b) = SSIM(b, a)."""
    a, b = noise(4, 32, seed=5), noise(4, 32, seed=6)
    torch.testing.assert_close(ssim(a, b, HOUSE), ssim(b, a, HOUSE))


def test_stays_within_its_bounds() -> None:
    """A picture against its negative scores below zero and never below -1."""
    a = 0.5 + 0.4 * noise(2, 32, seed=7)
    negative = ssim(a, 1.0 - a, HOUSE)
    assert (negative < -0.5).all()
    assert (negative >= -1.0).all()


def test_pictures_do_not_mix() -> None:
    """Each value of a batch is that of its pair alone, whatever the batch holds."""
    a, b = noise(9, 48, seed=8), noise(9, 48, seed=9)
    alone = torch.cat([ssim(a[i : i + 1], b[i : i + 1], HOUSE) for i in range(9)])
    torch.testing.assert_close(ssim(a, b, HOUSE), alone)


def test_independent_noise_scores_nothing_rightly_and_nearly_all_as_published() -> None:
    """Independent noise scores below 0.02, and with the report's constants above 0.98."""
    a, b = noise(4, 128, seed=10), noise(4, 128, seed=11)
    assert (ssim(a, b, HOUSE).abs() < 0.02).all()
    assert (ssim_as_published(a, b) > 0.98).all()


def test_as_published_is_the_formula_with_the_constants_of_255() -> None:
    """It equals scikit-image told that pictures in [-1, 1] have a range of 255."""
    a, b = noise(2, 64, seed=12), noise(2, 64, seed=13)
    assert ssim_as_published(a, b).tolist() == pytest.approx(reference(a, b, 255.0), abs=1e-6)


def test_leaves_its_arguments_alone() -> None:
    """It measures: the pictures stay as they are and no graph is kept."""
    a, b = noise(1, 24, seed=14).requires_grad_(), noise(1, 24, seed=15)
    before = (a.detach().clone(), b.clone())
    assert not ssim(a, b, HOUSE).requires_grad
    torch.testing.assert_close((a.detach(), b), before, rtol=0.0, atol=0.0)


@pytest.mark.parametrize("data_range", [HOUSE, 2.0])
@pytest.mark.parametrize("scale", [1.5, 255.0, float("nan")])
def test_values_outside_the_declared_range_are_refused(
    data_range: float | tuple[float, float], scale: float
) -> None:
    """Pictures in a wider range than declared, or not numbers at all, raise on either side."""
    a = noise(1, 16, seed=16)
    with pytest.raises(ValueError, match="images_b has values from"):
        ssim(a, a * scale, data_range)
    with pytest.raises(ValueError, match="images_a has values from"):
        ssim(a * scale, a, data_range)


def test_as_published_is_for_house_images_only() -> None:
    """Pixels in [0, 255], for which its constants would be right, are refused."""
    pixels = (noise(1, 16, seed=17) + 1.0) * 127.5
    with pytest.raises(ValueError, match="expected data_range"):
        ssim_as_published(pixels, pixels)


@pytest.mark.parametrize("data_range", [0.0, -1.0, (1.0, -1.0), float("nan"), float("inf")])
def test_a_range_must_be_a_range(data_range: float | tuple[float, float]) -> None:
    """An empty, reversed or endless range is refused."""
    a = noise(1, 16, seed=18)
    with pytest.raises(ValueError, match="data_range is"):
        ssim(a, a, data_range)


def test_shapes_must_match_and_hold_a_window() -> None:
    """Other shapes, and pictures smaller than the window, are refused with their size."""
    with pytest.raises(ValueError, match="expected the same"):
        ssim(noise(1, 16, seed=19), noise(2, 16, seed=19), HOUSE)
    with pytest.raises(ValueError, match="expected 11 or more"):
        ssim(noise(1, 10, seed=19), noise(1, 10, seed=19), HOUSE)
    with pytest.raises(ValueError, match="at least one picture"):
        ssim(noise(0, 16, seed=19), noise(0, 16, seed=19), HOUSE)
