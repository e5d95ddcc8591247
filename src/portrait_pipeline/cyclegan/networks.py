"""The networks: ResNet generators and PatchGAN discriminators (Zhu et al. 2017, section 7.2)."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from portrait_pipeline.cyclegan.layers import Blur, Doubling, ReflectionPad, RowConvolution, coarse

Upsampling = Literal["transposed", "resize"]
Sampling = Literal["plain", "antialiased"]
SkipReduction = Literal[1, 2, 4]
SKIP_SHARE = 0.95  # of a picture that a generator with a skip starts from: atanh(1) is infinite


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
        has_skip: The layers give the change of a picture instead of a new one, as in residual
            learning (He et al. 2016, section 3.1): G(x) = tanh(atanh(0.95 x) + layers(x)). A
            training starts with the pictures as they are and has the details from the first step.
        skip_reduction: Above 1 the skip passes the picture reduced by this factor and enlarged
            again, so that what is finer has to be painted: where the whole picture passes, the
            portrait keeps the photograph's sharpness, and paint is little more than a tint.
    """

    def __init__(
        self,
        num_filters: int,
        num_residual_blocks: int,
        upsampling: Upsampling = "transposed",
        sampling: Sampling = "plain",
        *,
        has_skip: bool = False,
        skip_reduction: SkipReduction = 1,
    ) -> None:
        super().__init__()
        self.has_skip = has_skip
        self.skip_reduction = skip_reduction
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
            nn.Identity() if has_skip else nn.Tanh(),
        )

    def forward(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """Translate images in [-1, 1]; height and width are multiples of 4."""
        translated: Tensor = self.layers(images)
        if self.has_skip:
            kept = coarse(images, self.skip_reduction)
            return torch.tanh(torch.atanh(SKIP_SHARE * kept) + translated)
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
                Doubling(),
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

    C64-C128-C256-C512 and one convolution to a single channel; with 1, 2, 3 layers each logit sees
    16, 34, 70 pixels squared (Isola et al. 2017, appendix 6.1.2), antialiased 19, 43, 91. The first
    layer has no instance norm. A convolution before a norm has no bias (see `ResnetGenerator`).

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


class DeepAndShallowDiscriminator(nn.Module):
    """Two discriminators of one domain: one for composition, one for brush strokes.

    Several discriminators of different receptive fields are those of pix2pixHD (Wang et al. 2018,
    section 3.2), there on smaller pictures, here of fewer layers: where 70 pixels are the whole
    picture, a patch of 16 or 34 tells of paint alone. Losses are means over both.

    Args:
        num_filters: Width of the first layer of each.
        num_layers: Convolutions of stride 2 of the deep one.
        num_shallow_layers: Of the shallow one.
        sampling: Of both.
    """

    def __init__(
        self, num_filters: int, num_layers: int, num_shallow_layers: int, sampling: Sampling
    ) -> None:
        super().__init__()
        self.deep = PatchDiscriminator(num_filters, num_layers, sampling)
        self.shallow = PatchDiscriminator(num_filters, num_shallow_layers, sampling)

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> tuple[Tensor, Tensor]:
        """Return the patch logits of both, the deep one's first."""
        return self.deep(images), self.shallow(images)


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

    The last layer of a generator with a skip becomes zero: it starts with what the skip passes.

    Args:
        network: A generator or a discriminator on the CPU; changed in place.
        generator: Where the numbers come from; the same one gives the same weights.
    """
    for layer in network.modules():
        if not isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            continue
        if isinstance(layer.weight, nn.Parameter):  # those of a frozen network are buffers
            layer.weight.normal_(0.0, STANDARD_DEVIATION, generator=generator)
            if layer.bias is not None:
                layer.bias.zero_()
    if isinstance(network, ResnetGenerator) and network.has_skip:
        last = [layer for layer in network.layers if isinstance(layer, nn.Conv2d)][-1]
        last.weight.zero_()
