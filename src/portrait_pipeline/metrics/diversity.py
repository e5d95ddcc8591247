"""Do different photographs still give different portraits, or has the generator collapsed?"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from portrait_pipeline.metrics.helpers.intervals import Interval, bootstrap_rows, interval_of_rounds
from portrait_pipeline.metrics.helpers.ranges import DataRange, check_range

THUMBNAIL_PX = 16


def diversity(
    portraits: Float[Tensor, "portraits channels height width"],
    photos: Float[Tensor, "photos channels height width"],
    data_range: DataRange,
    num_samples: int,
    seed: int,
) -> Interval:
    """Compare how much portraits differ among themselves with how much the photos do.

    The root mean square distance between any two portraits, over the same for the photos; pictures
    are first averaged to 16×16 px, so that fresh noise on one and the same face does not pass for
    diversity. 0: every portrait is the same (collapse). 1: as varied as the photos. Two sets of the
    same size are drawn anew in pairs.

    Args:
        portraits: Pictures with values in `data_range`.
        photos: What they were made from, or any other set.
        data_range: (low, high) of the possible values, or high - low alone.
        num_samples: Bootstrap rounds.
        seed: Seeds the rounds.

    Raises:
        ValueError: if a set has fewer than two pictures, values lie outside the range, or the
            photos are all the same.
    """
    spread, rounds = _spreads(portraits, data_range, num_samples, seed)
    photo_spread, photo_rounds = _spreads(photos, data_range, num_samples, seed)
    if photo_spread == 0.0:
        raise ValueError("photos are all the same, expected a set that differs")
    ratios = rounds / np.maximum(photo_rounds, np.finfo(np.float64).tiny)
    return interval_of_rounds(spread / photo_spread, ratios, min(len(portraits), len(photos)))


def _spreads(
    images: Tensor, data_range: DataRange, num_samples: int, seed: int
) -> tuple[float, Float[np.ndarray, " samples"]]:
    """Compute the root mean square distance of two pictures, of the set and of every drawn set.

    The mean squared distance over all pairs is twice the variance with n - 1 below it, so no pair
    need be formed. A drawn set holds pictures twice, at distance 0; n - 1 once more corrects that.
    """
    check_range(images, data_range, "images")
    num_pictures = len(images)
    if num_pictures < 2:
        raise ValueError(f"there is {num_pictures} picture, expected at least 2 to compare")
    thumbnails = adaptive_avg_pool2d(images.detach().to(torch.float32), THUMBNAIL_PX)
    points = thumbnails.flatten(1).cpu().numpy().astype(np.float64)
    points -= points.mean(axis=0)
    squares = (points**2).sum(axis=1)
    rows = bootstrap_rows(num_pictures, num_samples, seed)
    weights = np.stack([np.bincount(row, minlength=num_pictures) for row in rows]) / num_pictures
    variances = np.maximum(weights @ squares - ((weights @ points) ** 2).sum(axis=1), 0.0)
    unbiased = 2.0 * num_pictures / (num_pictures - 1)
    rounds = np.sqrt(unbiased * num_pictures / (num_pictures - 1) * variances)
    return float(np.sqrt(unbiased * squares.mean())), rounds
