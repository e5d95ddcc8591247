"""Laws of the sliced Wasserstein distance: self, symmetry, order, blur, sizes, ranges."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from portrait_pipeline.images import to_model_range
from portrait_pipeline.metrics.swd import cut_patches, join_patches, swd, swd_of_patches

HOUSE = (-1.0, 1.0)
ROUNDS = 100


def pictures(count: int, seed: int, size_px: int = 32) -> Tensor:
    """Smooth noise: structure at more than one scale, as pictures have."""
    generator = torch.Generator().manual_seed(seed)
    fine = torch.rand(count, 3, size_px, size_px, generator=generator) * 2.0 - 1.0
    return 0.3 * fine + 0.7 * gaussian_blur(fine, 9, 2.0)


def distance(a: Tensor, b: Tensor, seed: int = 0) -> float:
    return swd(a, b, HOUSE, ROUNDS, seed).mean.value


def test_a_set_with_itself_is_at_distance_zero_in_any_order() -> None:
    """A set is at 0 from itself at every level, and from itself in another order."""
    a = pictures(6, seed=0)
    assert swd(a, a, HOUSE, ROUNDS, 0).levels == {32: 0.0, 16: 0.0}
    assert distance(a, a.flip(0)) == pytest.approx(0.0, abs=1e-3)


def test_is_symmetric() -> None:
    """The distance from a to b is the distance from b to a, also of sets of different sizes."""
    a, b = pictures(6, seed=1), gaussian_blur(pictures(9, seed=2), 5, 1.0)
    assert distance(a, b) == pytest.approx(distance(b, a), rel=1e-5)


def test_grows_with_blur() -> None:
    """The more a set is blurred, the further it lies away, most at the finest level."""
    sharp = pictures(8, seed=3, size_px=64)
    results = [
        swd(gaussian_blur(sharp, 13, sigma), sharp, HOUSE, ROUNDS, 0) for sigma in (0.5, 1.0, 2.0)
    ]
    means = [result.mean.value for result in results]
    assert 0.0 < means[0] < means[1] < means[2]
    assert all(result.levels[64] > result.levels[16] for result in results)


def test_seed_decides_everything() -> None:
    """The same seed gives the same number to the last digit, another one another number."""
    a, b = pictures(5, seed=4), gaussian_blur(pictures(5, seed=5), 5, 1.0)
    assert swd(a, b, HOUSE, ROUNDS, 0) == swd(a, b, HOUSE, ROUNDS, 0)
    assert distance(a, b, seed=0) != distance(a, b, seed=1)


def test_sets_of_different_sizes_agree_with_repetition() -> None:
    """A set against itself twice over is at distance nearly 0: only the spread counts, not N."""
    a = pictures(8, seed=6)
    other = distance(a, pictures(8, seed=7))
    assert distance(a, torch.cat([a, a])) < 0.05 * other


def test_batches_cut_apart_and_joined_are_one_set() -> None:
    """Cutting patches batch by batch gives what cutting them at once gives."""
    a, b = pictures(40, seed=8), pictures(40, seed=9)
    joined = join_patches([cut_patches(part, HOUSE, 3) for part in torch.split(a, 7)])
    assert len(joined) == 40
    apart = swd_of_patches(joined, cut_patches(b, HOUSE, 3), ROUNDS)
    assert apart.mean.value == pytest.approx(distance(a, b, seed=3), rel=1e-5)


def test_interval_holds_the_value_and_shrinks_with_more_pictures() -> None:
    """The interval lies about the value, is not negative, and more pictures make it narrower."""
    few = swd(pictures(6, 10), gaussian_blur(pictures(6, 11), 5, 1.0), HOUSE, ROUNDS, 0).mean
    many = swd(pictures(48, 10), gaussian_blur(pictures(48, 11), 5, 1.0), HOUSE, ROUNDS, 0).mean
    assert 0.0 <= few.low < few.value < few.high
    assert (few.n, many.n) == (6, 48)
    assert many.high - many.low < 0.6 * (few.high - few.low)


def test_is_blind_to_a_global_change_of_contrast() -> None:
    """Each set is normalised for itself, as in the paper: halving the contrast changes nothing."""
    a, b = pictures(5, seed=12), pictures(5, seed=13)
    assert distance(0.5 * a, b) == pytest.approx(distance(a, b), rel=1e-4)


def test_photographs_are_further_from_paintings_than_paintings(shared_pictures: Path) -> None:
    """On real pictures the ceiling, photos against paintings, lies well above the floor."""
    paintings = real_pictures(shared_pictures / "paintings", 80)
    photos = real_pictures(shared_pictures / "photos", 40)
    floor = distance(paintings[::2], paintings[1::2])
    assert distance(photos, paintings[1::2]) > 1.5 * floor


def test_sets_that_do_not_fit_are_refused() -> None:
    """Pictures of two sizes, patches of two seeds, and the wrong range raise."""
    a = pictures(2, seed=14)
    with pytest.raises(ValueError, match="cannot be compared"):
        swd(a, pictures(2, seed=14, size_px=64), HOUSE, ROUNDS, 0)
    with pytest.raises(ValueError, match="cannot be compared"):
        join_patches([cut_patches(a, HOUSE, 0), cut_patches(a, HOUSE, 1)])
    with pytest.raises(ValueError, match="expected data_range"):
        swd((a + 1.0) * 127.5, a, HOUSE, ROUNDS, 0)
    with pytest.raises(ValueError, match="at least one picture"):
        swd(a[:0], a, HOUSE, ROUNDS, 0)


def real_pictures(folder: Path, count: int) -> Tensor:
    pixels = []
    for path in sorted(folder.glob("*.jpg"))[:count]:
        with Image.open(path) as picture:
            pixels.append(np.asarray(ImageOps.fit(picture.convert("RGB"), (64, 64))))
    return to_model_range(np.stack(pixels))
