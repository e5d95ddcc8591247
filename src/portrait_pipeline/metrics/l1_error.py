"""How far F(G(x)) is from x, as the cycle-consistency loss counts it (report, section 4.2.2)."""

from jaxtyping import Float
from torch import Tensor

from portrait_pipeline.metrics.helpers.ranges import DataRange, check_pairs


def l1_error(
    images_a: Float[Tensor, "batch channels height width"],
    images_b: Float[Tensor, "batch channels height width"],
    data_range: DataRange,
) -> Float[Tensor, " batch"]:
    """Compute the mean absolute difference of each pair, in the units of the images.

    In [0, 2] for images in [-1, 1]; it is what `cycle_consistency_loss` averages over a batch;
    0 is the same picture.

    Args:
        images_a: Pictures with values in `data_range`.
        images_b: Their counterparts, in the same order.
        data_range: (low, high) of the possible values, or high - low alone.

    Raises:
        ValueError: if shapes differ or values lie outside `data_range`.
    """
    check_pairs(images_a, images_b, data_range)
    return (images_a.detach() - images_b.detach()).abs().mean(dim=(1, 2, 3))
