"""Sliced Wasserstein distance between two sets of pictures, over a Laplacian pyramid.

Karras et al. 2018 (Progressive Growing of GANs), section 5: each picture becomes a Laplacian
pyramid; from every level 128 patches of 7×7 pixels are cut; the patches of a level are normalised
by mean and standard deviation of each colour channel, for each set alone; and the two clouds of
patches are compared along random directions, where the Wasserstein distance is the mean difference
of sorted projections. It needs no network and no weights.

One thing differs from the paper: the 128 places of a level are drawn once, for all pictures. So the
distance does not depend on the order of the pictures, and a set in another order is at distance 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from portrait_pipeline.metrics.helpers.intervals import Interval, interval_of_rounds
from portrait_pipeline.metrics.helpers.laplacian_pyramid import laplacian_pyramid
from portrait_pipeline.metrics.helpers.ranges import DataRange, check_range
from portrait_pipeline.metrics.helpers.sliced_wasserstein import (
    bootstrap_distances,
    random_directions,
    sliced_distance,
)

PATCH_PX = 7
NUM_PATCHES = 128
NUM_DIRECTIONS = 512
UNIT = 1000.0
"""Distances are given ×10³, as in the paper's tables."""

_BOOTSTRAP_DIRECTIONS = 32
_PICTURES_AT_ONCE = 16

Patches = Float[np.ndarray, "pictures patches channels patch patch"]


@dataclass(frozen=True)
class PatchSet:
    """The patches of a set of pictures, for each level of the pyramid, finest first.

    Attributes:
        levels: Patches by the size of the level in pixels (its shorter side).
        seed: What drew the places of the patches; only sets of one seed can be compared.
    """

    levels: dict[int, Patches]
    seed: int

    def __len__(self) -> int:
        return len(next(iter(self.levels.values())))


@dataclass(frozen=True)
class SlicedWassersteinDistance:
    """The distance between two sets, ×10³, not negative, lower is closer.

    Attributes:
        mean: Average over levels, its bootstrap interval, and the size of the smaller set.
        levels: The distance at each level, by its size in pixels: the finest tells of texture and
            brush strokes, the coarsest of composition and palette.
    """

    mean: Interval
    levels: dict[int, float]


def swd(
    images_a: Float[Tensor, "pictures_a channels height width"],
    images_b: Float[Tensor, "pictures_b channels height width"],
    data_range: DataRange,
    num_samples: int,
    seed: int,
) -> SlicedWassersteinDistance:
    """Measure how far two sets of pictures are apart; the sets need not be of one size.

    Symmetric, 0 for a set with itself. It falls with the number of pictures, so compare sets of
    equal size only, and read it between floor (real paintings against other real paintings) and
    ceiling (photographs against paintings).

    Args:
        images_a: Pictures with values in `data_range`.
        images_b: Pictures of the same size and range.
        data_range: (low, high) of the possible values, or high - low alone.
        num_samples: Bootstrap rounds for the interval.
        seed: Draws places, directions and rounds.

    Raises:
        ValueError: if sizes of pictures differ, one is below 16 px, or values lie outside the
            range.
    """
    set_a = cut_patches(images_a, data_range, seed)
    set_b = cut_patches(images_b, data_range, seed)
    return swd_of_patches(set_a, set_b, num_samples)


def cut_patches(
    images: Float[Tensor, "pictures channels height width"], data_range: DataRange, seed: int
) -> PatchSet:
    """Cut the patches that `swd_of_patches` compares; batches can be cut apart and joined.

    Raises:
        ValueError: if pictures are smaller than 16 px or values lie outside the range.
    """
    check_range(images, data_range, "images")
    levels: dict[int, list[Patches]] = {}
    for portion in torch.split(images.detach().to(torch.float32), _PICTURES_AT_ONCE):
        generator = torch.Generator().manual_seed(seed)
        for level in laplacian_pyramid(portion):
            patches = _cut(level, generator).cpu().numpy()
            levels.setdefault(min(level.shape[-2:]), []).append(patches)
    return PatchSet({size: np.concatenate(parts) for size, parts in levels.items()}, seed)


def join_patches(sets: Sequence[PatchSet]) -> PatchSet:
    """Join what was cut from several batches of one set of pictures.

    Raises:
        ValueError: if they were cut with different seeds or from pictures of different sizes.
    """
    for other in sets:
        _check_comparable(sets[0], other)
    levels = {size: np.concatenate([s.levels[size] for s in sets]) for size in sets[0].levels}
    return PatchSet(levels, sets[0].seed)


def swd_of_patches(set_a: PatchSet, set_b: PatchSet, num_samples: int) -> SlicedWassersteinDistance:
    """Measure the distance between two sets of patches; see `swd`.

    Raises:
        ValueError: if they were cut with different seeds or from pictures of different sizes.
    """
    _check_comparable(set_a, set_b)
    generator = np.random.default_rng(set_a.seed)
    levels: dict[int, float] = {}
    rounds = np.zeros(num_samples)
    for size in set_a.levels:
        a, b = _normalise(set_a.levels[size]), _normalise(set_b.levels[size])
        directions = random_directions(a.shape[-1], NUM_DIRECTIONS, generator)
        levels[size] = UNIT * sliced_distance(a, b, directions)
        few = directions[:, :_BOOTSTRAP_DIRECTIONS]
        rounds += UNIT * bootstrap_distances(a @ few, b @ few, num_samples, set_a.seed)
    mean = float(np.mean(list(levels.values())))
    num_pictures = min(len(set_a), len(set_b))
    return SlicedWassersteinDistance(_around(mean, rounds / len(levels), num_pictures), levels)


def _check_comparable(set_a: PatchSet, set_b: PatchSet) -> None:
    if set_a.seed != set_b.seed or set_a.levels.keys() != set_b.levels.keys():
        raise ValueError(
            f"patches of seed {set_a.seed} and levels {list(set_a.levels)} cannot be compared with"
            f" seed {set_b.seed} and levels {list(set_b.levels)}"
        )


def _cut(level: Tensor, generator: torch.Generator) -> Tensor:
    height, width = level.shape[-2:]
    offsets = torch.arange(PATCH_PX)
    tops = torch.randint(height - PATCH_PX + 1, (NUM_PATCHES, 1), generator=generator) + offsets
    lefts = torch.randint(width - PATCH_PX + 1, (NUM_PATCHES, 1), generator=generator) + offsets
    return level[:, :, tops[:, :, None], lefts[:, None, :]].transpose(1, 2).contiguous()


def _normalise(patches: Patches) -> Float[np.ndarray, "pictures patches values"]:
    axes = (0, 1, 3, 4)
    mean = patches.mean(axis=axes, dtype=np.float64, keepdims=True).astype(np.float32)
    deviation = patches.std(axis=axes, dtype=np.float64, keepdims=True).astype(np.float32)
    scaled = (patches - mean) / np.maximum(deviation, np.float32(1e-8))
    flat: Float[np.ndarray, "pictures patches values"] = scaled.reshape(*patches.shape[:2], -1)
    return flat


def _around(value: float, rounds: Float[np.ndarray, " samples"], num_pictures: int) -> Interval:
    """Bound the value by the spread of the rounds about their own mean.

    A draw with replacement holds fewer different pictures, which lengthens every distance between
    finite sets; that common shift is bias, not uncertainty, and is taken off.
    """
    interval = interval_of_rounds(value, value + rounds - rounds.mean(), num_pictures)
    return replace(interval, low=max(0.0, interval.low))
