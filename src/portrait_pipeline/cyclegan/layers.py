"""Layers of the networks that PyTorch does not have, or has in another form."""

import torch
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


class ReflectionPad(nn.ReflectionPad2d):
    """Reflection padding whose gradient a GPU adds up in the same order every time.

    PyTorch's own has no deterministic backward pass on CUDA. Under `deterministic` this one is put
    together there from mirrored strips, the rows first: the same values, at the price of four more
    copies of the features.
    """

    def forward(
        self, features: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels rows columns"]:
        """Pad the features by mirroring what lies inside of their border."""
        return reflected(features, self.padding[0], self.padding[0])


def reflected(
    features: Float[Tensor, "batch channels height width"], before: int, after: int
) -> Float[Tensor, "batch channels rows columns"]:
    """Pad by so many mirrored pixels at the first and at the last edge of each dimension."""
    if features.is_cuda and torch.are_deterministic_algorithms_enabled():
        return pad_by_strips(features, before, after)
    return F.pad(features, [before, after, before, after], mode="reflect")


def pad_by_strips(
    features: Float[Tensor, "batch channels height width"], before: int, after: int
) -> Float[Tensor, "batch channels rows columns"]:
    """Pad by reflection with slices, flips and concatenations alone."""
    for dim in (2, 3):
        size = features.shape[dim]
        first = features.narrow(dim, 1, before).flip(dim)
        last = features.narrow(dim, size - 1 - after, after).flip(dim)
        features = torch.cat([first, features, last], dim)
    return features


class Doubling(nn.Upsample):
    """Nearest-neighbour doubling whose gradient a GPU adds up in the same order every time.

    PyTorch names interpolation among the operations without a deterministic backward pass on CUDA.
    Under `deterministic` the pixels are copied there instead, to the same values.
    """

    def __init__(self) -> None:
        super().__init__(scale_factor=2, mode="nearest")

    def forward(
        self, features: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels rows columns"]:
        """Make four pixels of each."""
        if features.is_cuda and torch.are_deterministic_algorithms_enabled():
            return double_by_copies(features)
        return super().forward(features)


def double_by_copies(
    features: Float[Tensor, "batch channels height width"],
) -> Float[Tensor, "batch channels rows columns"]:
    """Double by an expansion, whose gradient is a plain sum."""
    batch, channels, height, width = features.shape
    copies = features[:, :, :, None, :, None].expand(-1, -1, -1, 2, -1, 2)
    return copies.reshape(batch, channels, 2 * height, 2 * width)


class Blur(nn.Module):
    """A fixed low-pass filter before pictures are halved, or after they are doubled (Zhang 2019).

    Args:
        taps: The filter along one edge, for example 1, 3, 3, 1; scaled here so that it keeps means.
        stride: 2 keeps every second row and column.
        padding: Reflected pixels before and after each edge.
    """

    def __init__(self, taps: tuple[int, ...], stride: int, padding: tuple[int, int]) -> None:
        super().__init__()
        edge = torch.tensor(taps, dtype=torch.float32) / sum(taps)
        self.register_buffer("filter", edge[:, None] * edge[None, :], persistent=False)
        self.stride, self.padding = stride, padding

    filter: Tensor

    def forward(
        self, features: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels rows columns"]:
        """Filter each channel by itself."""
        channels = features.shape[1]
        padded = reflected(features, *self.padding)
        weight = self.filter.to(features.dtype).expand(channels, 1, -1, -1)
        return F.conv2d(padded, weight, stride=self.stride, groups=channels)


def coarse(
    images: Float[Tensor, "batch channels height width"], reduction: int
) -> Float[Tensor, "batch channels height width"]:
    """Average blocks of `reduction` x `reduction` pixels, and enlarge them bilinearly again."""
    if reduction == 1:
        return images
    blocks = F.avg_pool2d(images, reduction)
    return F.interpolate(blocks, scale_factor=float(reduction), mode="bilinear")
