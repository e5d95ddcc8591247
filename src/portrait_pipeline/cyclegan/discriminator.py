"""The PatchGAN discriminator (Isola et al. 2017; Zhu et al. 2017, section 7.2)."""

from jaxtyping import Float
from torch import Tensor, nn

LEAK = 0.2
MAX_WIDENING = 8


class PatchDiscriminator(nn.Module):
    """Judges overlapping patches of a picture: one logit for each, high for real.

    C64-C128-C256-C512 and one convolution to a single channel; with 3 layers each logit sees
    70 x 70 pixels. The first layer has no instance norm. A convolution before a norm has no bias
    (see `ResnetGenerator`).

    Args:
        num_filters: Width of the first layer (64 in the paper).
        num_layers: Convolutions of stride 2 (3 in the paper).
    """

    def __init__(self, num_filters: int, num_layers: int = 3) -> None:
        super().__init__()
        widths = [num_filters * min(2**i, MAX_WIDENING) for i in range(num_layers + 1)]
        layers: list[nn.Module] = [
            nn.Conv2d(3, num_filters, 4, stride=2, padding=1),
            nn.LeakyReLU(LEAK, inplace=True),
        ]
        for i in range(1, num_layers + 1):
            stride = 2 if i < num_layers else 1
            layers += [
                nn.Conv2d(widths[i - 1], widths[i], 4, stride=stride, padding=1, bias=False),
                nn.InstanceNorm2d(widths[i]),
                nn.LeakyReLU(LEAK, inplace=True),
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
    """Return the edge length of the logits' map; below 1 the picture is too small to judge."""
    size = image_size_px
    for _ in range(num_layers):
        size //= 2
    return size - 2
