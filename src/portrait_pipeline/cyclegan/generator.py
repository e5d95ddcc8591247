"""The ResNet generator of Zhu et al. 2017 (section 7.2, after Johnson et al. 2016)."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from portrait_pipeline.cyclegan.row_convolution import RowConvolution

Upsampling = Literal["transposed", "resize"]


class ResidualBlock(nn.Module):
    """x + f(x), where f is two 3x3 convolutions with reflection padding and instance norm."""

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(num_channels, num_channels, 3, bias=False),
            nn.InstanceNorm2d(num_channels),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1),
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
    """

    def __init__(
        self, num_filters: int, num_residual_blocks: int, upsampling: Upsampling = "transposed"
    ) -> None:
        super().__init__()
        k = num_filters
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(3),
            nn.Conv2d(3, k, 7, bias=False),
            nn.InstanceNorm2d(k),
            nn.ReLU(inplace=True),
            *_downsample(k, 2 * k),
            *_downsample(2 * k, 4 * k),
            *(ResidualBlock(4 * k) for _ in range(num_residual_blocks)),
            *_upsample(4 * k, 2 * k, upsampling),
            *_upsample(2 * k, k, upsampling),
            nn.ReflectionPad2d(3),
            RowConvolution(k, 3, 7),
            nn.Tanh(),
        )

    def forward(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """Translate images in [-1, 1]; height and width are multiples of 4."""
        translated: Tensor = self.layers(images)
        return translated


def _downsample(num_in: int, num_out: int) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(num_in, num_out, 3, stride=2, padding=1, bias=False),
        nn.InstanceNorm2d(num_out),
        nn.ReLU(inplace=True),
    )


def _upsample(num_in: int, num_out: int, upsampling: Upsampling) -> tuple[nn.Module, ...]:
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
                nn.ReflectionPad2d(1),
                nn.Conv2d(num_in, num_out, 3, bias=False),
            )
        case _:
            raise ValueError(f"upsampling is {upsampling!r}, expected 'transposed' or 'resize'")
    return (*way_up, nn.InstanceNorm2d(num_out), nn.ReLU(inplace=True))
