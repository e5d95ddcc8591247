"""The networks: ResNet generators and PatchGAN discriminators (Zhu et al. 2017, section 7.2)."""

from typing import Literal

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


Upsampling = Literal["transposed", "resize"]
Sampling = Literal["plain", "antialiased"]


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
        if features.is_cuda and torch.are_deterministic_algorithms_enabled():
            return pad_by_strips(features, self.padding[0])
        return super().forward(features)


def pad_by_strips(
    features: Float[Tensor, "batch channels height width"], padding: int
) -> Float[Tensor, "batch channels rows columns"]:
    """Pad by reflection with slices, flips and concatenations alone."""
    for dim in (2, 3):
        size = features.shape[dim]
        before = features.narrow(dim, 1, padding).flip(dim)
        after = features.narrow(dim, size - 1 - padding, padding).flip(dim)
        features = torch.cat([before, features, after], dim)
    return features


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
        padded = F.pad(features, [*self.padding, *self.padding], mode="reflect")
        weight = self.filter.to(features.dtype).expand(channels, 1, -1, -1)
        return F.conv2d(padded, weight, stride=self.stride, groups=channels)


class ResidualBlock(nn.Module):
    """x + f(x), where f is two 3x3 convolutions with reflection padding and instance norm."""

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            ReflectionPad(1),
            nn.Conv2d(num_channels, num_channels, 3, bias=False),
            nn.InstanceNorm2d(num_channels),
            nn.ReLU(inplace=True),
            ReflectionPad(1),
            nn.Conv2d(num_channels, num_channels, 3, bias=False),
            nn.InstanceNorm2d(num_channels),
        )

    def forward(
        self, features: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Add the block's change to its input."""
        change: Tensor = self.layers(features)
        return features + change


class ResnetGenerator(nn.Module):
    """Translates pictures of one domain into the other: c7s1-k, d2k, d4k, R4k…, u2k, uk, c7s1-3.

    The convolutions before an instance norm have no bias, since the norm would subtract it again:
    its gradient is rounding noise alone, which Adam would blow up to full steps.

    Args:
        num_filters: k, the width of the first layer (64 in the paper).
        num_residual_blocks: 9 at 256 px, 6 at 128 px and below in the paper.
        upsampling: `transposed` convolutions, the paper's, or `resize`, nearest neighbour and a
            convolution, which draws no checkerboards (Odena et al. 2016).
        sampling: `antialiased` blurs before pictures are halved and after they are doubled (Zhang
            2019), which asks for `resize`; `plain` is the paper's.
    """

    def __init__(
        self,
        num_filters: int,
        num_residual_blocks: int,
        upsampling: Upsampling = "transposed",
        sampling: Sampling = "plain",
    ) -> None:
        super().__init__()
        k = num_filters
        self.layers = nn.Sequential(
            ReflectionPad(3),
            nn.Conv2d(3, k, 7, bias=False),
            nn.InstanceNorm2d(k),
            nn.ReLU(inplace=True),
            *_downsample(k, 2 * k, sampling),
            *_downsample(2 * k, 4 * k, sampling),
            *(ResidualBlock(4 * k) for _ in range(num_residual_blocks)),
            *_upsample(4 * k, 2 * k, upsampling, sampling),
            *_upsample(2 * k, k, upsampling, sampling),
            ReflectionPad(3),
            RowConvolution(k, 3, 7),
            nn.Tanh(),
        )

    def forward(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """Translate images in [-1, 1]; height and width are multiples of 4."""
        translated: Tensor = self.layers(images)
        return translated


def _downsample(num_in: int, num_out: int, sampling: Sampling) -> tuple[nn.Module, ...]:
    is_plain = sampling == "plain"
    return (
        nn.Conv2d(num_in, num_out, 3, stride=2 if is_plain else 1, padding=1, bias=False),
        nn.InstanceNorm2d(num_out),
        nn.ReLU(inplace=True),
        *(() if is_plain else (Blur((1, 3, 3, 1), stride=2, padding=(1, 1)),)),
    )


def _upsample(
    num_in: int, num_out: int, upsampling: Upsampling, sampling: Sampling
) -> tuple[nn.Module, ...]:
    way_up: tuple[nn.Module, ...]
    match upsampling:
        case "transposed":
            way_up = (
                nn.ConvTranspose2d(
                    num_in, num_out, 3, stride=2, padding=1, output_padding=1, bias=False
                ),
            )
        case "resize":
            way_up = (
                nn.Upsample(scale_factor=2, mode="nearest"),
                *(() if sampling == "plain" else (Blur((1, 2, 1), stride=1, padding=(1, 1)),)),
                ReflectionPad(1),
                nn.Conv2d(num_in, num_out, 3, bias=False),
            )
        case _:
            raise ValueError(f"upsampling is {upsampling!r}, expected 'transposed' or 'resize'")
    return (*way_up, nn.InstanceNorm2d(num_out), nn.ReLU(inplace=True))


LEAK = 0.2
MAX_WIDENING = 8


class PatchDiscriminator(nn.Module):
    """Classifies overlapping patches of a picture: one logit for each, high for real.

    C64-C128-C256-C512 and one convolution to a single channel; with 3 layers each logit sees
    70 x 70 pixels. The first layer has no instance norm. A convolution before a norm has no bias
    (see `ResnetGenerator`).

    Args:
        num_filters: Width of the first layer (64 in the paper).
        num_layers: Convolutions of stride 2 (3 in the paper).
        sampling: `antialiased` halves pictures with a blur instead of a stride (Zhang 2019).
    """

    def __init__(self, num_filters: int, num_layers: int = 3, sampling: Sampling = "plain") -> None:
        super().__init__()
        widths = [num_filters * min(2**i, MAX_WIDENING) for i in range(num_layers + 1)]
        is_plain = sampling == "plain"
        halve = () if is_plain else (Blur((1, 3, 3, 1), stride=2, padding=(1, 2)),)
        layers: list[nn.Module] = [
            nn.Conv2d(3, num_filters, 4, stride=2 if is_plain else 1, padding=1),
            nn.LeakyReLU(LEAK, inplace=True),
            *halve,
        ]
        for i in range(1, num_layers + 1):
            is_halved = i < num_layers
            stride = 2 if is_halved and is_plain else 1
            layers += [
                nn.Conv2d(widths[i - 1], widths[i], 4, stride=stride, padding=1, bias=False),
                nn.InstanceNorm2d(widths[i]),
                nn.LeakyReLU(LEAK, inplace=True),
                *(halve if is_halved else ()),
            ]
        layers.append(nn.Conv2d(widths[-1], 1, 4, padding=1))
        self.layers = nn.Sequential(*layers)

    def forward(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch 1 rows columns"]:
        """Return the patch logits of images in [-1, 1]; no sigmoid is applied."""
        patch_logits: Tensor = self.layers(images)
        return patch_logits


def patch_map_size(image_size_px: int, num_layers: int) -> int:
    """Return the edge length of the logits' map; below 1 the picture is too small for one patch."""
    size = image_size_px
    for _ in range(num_layers):
        size //= 2
    return size - 2


STANDARD_DEVIATION = 0.02


@torch.no_grad()
def initialise_weights(network: nn.Module, generator: torch.Generator) -> None:
    """Draw every convolution's weights from N(0, 0.02) and set its bias to zero.

    Args:
        network: A generator or a discriminator on the CPU; changed in place.
        generator: Where the numbers come from; the same one gives the same weights.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.weight.normal_(0.0, STANDARD_DEVIATION, generator=generator)
            if layer.bias is not None:
                layer.bias.zero_()
