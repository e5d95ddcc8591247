"""The fixed crop between our face crops and the geometry that a face network was trained on."""

from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Float, Float64
from torch import Tensor

DEFAULT_MARGIN = 0.35
"""What is around the detector's box in crops that come without their `faces.margin`."""


@dataclass(frozen=True)
class FaceWindow:
    """The part of a face that a network was trained on, in edges of the detector's box.

    A crop is the square of edge (1 + margin) around the centre of MTCNN's box, its longer
    edge being the unit, with the eyes level. Hence the same window is another share of the crop
    at another margin. A crop that shrank and moved to stay in its picture shows the face larger
    and off its centre, by at most the margin; the window stays where it is.

    Attributes:
        wide: Width of the window.
        high: Height of the window; a network trained on squashed boxes sees more height.
        lower: How far the window's centre lies below the box's.
        size_px: Edge of the square that the network takes, in pixels.
    """

    wide: float
    high: float
    lower: float
    size_px: int

    def in_crops(self, margin: float = DEFAULT_MARGIN) -> "FixedCrop":
        """Find the window in crops with this margin; what lies outside the crop is given up.

        Raises:
            ValueError: if the margin is negative.
        """
        if margin < 0.0:
            raise ValueError(f"margin is {margin}, expected 0 or more")
        edge = 1.0 + margin
        wide, high = min(self.wide / edge, 1.0), min(self.high / edge, 1.0)
        top = min(max(0.5 + self.lower / edge - high / 2, 0.0), 1.0 - high)
        return FixedCrop(left=(1.0 - wide) / 2, top=top, wide=wide, high=high, size_px=self.size_px)


@dataclass(frozen=True)
class FixedCrop:
    """A window of a picture, in shares of its edges, and the size that a network wants it in.

    Attributes:
        left: Left edge of the window, in [0, 1).
        top: Upper edge of the window, in [0, 1).
        wide: Width, in (0, 1].
        high: Height, in (0, 1].
        size_px: Edge of the resized window in pixels.
    """

    left: float
    top: float
    wide: float
    high: float
    size_px: int

    def __call__(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch 3 size size"]:
        """Cut the window out at fractions of a pixel and resize it, antialiased.

        A cubic filter as wide as the coarser of the two pixel grids (what Pillow's
        `resize(box=…)` does with BICUBIC), as one small matrix for each axis: linear in the
        image, so that gradients pass, and the same part of the face at every resolution. Values
        may overshoot [-1, 1] slightly at edges.
        """
        height, width = images.shape[-2:]
        low, high = self.top * height, (self.top + self.high) * height
        down = resampling_weights(height, low, high, self.size_px, images.device)
        low, high = self.left * width, (self.left + self.wide) * width
        across = resampling_weights(width, low, high, self.size_px, images.device)
        return down.to(images.dtype) @ images @ across.to(images.dtype).T


@cache
def resampling_weights(
    length: int, low: float, high: float, size: int, device: torch.device
) -> Float[Tensor, "size length"]:
    """Build the rows that resample `length` pixels, from `low` to `high`, to `size` pixels.

    Each row is a cubic kernel around the centre of its target pixel and sums to one. They stay on
    the device for good, a few for each size of crops: a training step that is replayed there reads
    them again and again, and sending them anew would make the processor wait.
    """
    step = (high - low) / size
    support = max(step, 1.0)
    with torch.inference_mode(mode=False):  # what is kept here must serve training as well
        targets = low + (torch.arange(size, dtype=torch.float64) + 0.5) * step
        sources = torch.arange(length, dtype=torch.float64) + 0.5
        weights = _cubic((sources[None, :] - targets[:, None]).abs() / support)
        return (weights / weights.sum(dim=1, keepdim=True)).to(device, torch.float32)


def _cubic(distances: Float64[Tensor, "rows columns"]) -> Float64[Tensor, "rows columns"]:
    """Cubic convolution with a = -1/2 (Keys 1981, equation 15); zero from a distance of 2 on."""
    near = (1.5 * distances - 2.5) * distances**2 + 1.0
    far = ((-0.5 * distances + 2.5) * distances - 4.0) * distances + 2.0
    return torch.where(distances < 1.0, near, torch.where(distances < 2.0, far, 0.0))
