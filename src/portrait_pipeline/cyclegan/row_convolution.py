"""A convolution to three channels that keeps a CPU busy."""

import torch.nn.functional as F  # noqa: N812  the field's own name
from jaxtyping import Float
from torch import Tensor, nn


class RowConvolution(nn.Conv2d):
    """A square convolution of stride 1 without padding; trained on a CPU it goes row by row.

    The CPU's kernels make 8 or 16 channels at a time and idle with 3 (7 instead of 30 GFLOP/s).
    Here each of the k rows of the filter makes channels of its own, and these are added up where
    they belong: Σ_r Σ_s w[r, s] x[i + r, j + s] is a 1 x k convolution to k times as many channels
    and a sum over r of its rows i + r. The weights, and but for rounding the results, are those of
    `Conv2d`.
    """

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch outputs rows columns"]:
        """Convolve the images, or features."""
        if images.device.type != "cpu" or not self.training:
            return F.conv2d(images, self.weight, self.bias)
        k = self.kernel_size[0]
        weight = self.weight.transpose(1, 2).reshape(-1, self.in_channels, 1, k)
        by_row = F.conv2d(images, weight).contiguous()
        batch, _, height, width = by_row.shape
        plane = height * width
        aligned = by_row.as_strided(
            (batch, self.out_channels, k, height - k + 1, width),
            (self.out_channels * k * plane, k * plane, plane + width, width, 1),
        )
        added = aligned.sum(dim=2)
        return added if self.bias is None else added + self.bias[:, None, None]
