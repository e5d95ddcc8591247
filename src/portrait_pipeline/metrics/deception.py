"""Does a classifier of real photographs and paintings take a portrait for a painting?

The classifier is small, learns from real training pictures alone, never sees a portrait, and is
used on pictures of the same source only: between two sources it would tell the sources apart. It
says "not a photograph" more than "a painting", so its rate never stands alone: held-out
photographs, and blurred, darkened, recoloured or grainy ones, must not pass either.
"""

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from portrait_pipeline.images import to_model_range
from portrait_pipeline.metrics.helpers.intervals import Interval, wilson_interval
from portrait_pipeline.parameters import DeceptionParameters

Crops = UInt8[np.ndarray, "n size size 3"]

_BATCH = 64


class PaintingClassifier(nn.Module):
    """Six convolutions, an average over places, one logit: above 0 it is a painting.

    Args:
        settings: Size of its pictures and number of filters.
    """

    def __init__(self, settings: DeceptionParameters) -> None:
        super().__init__()
        self.size_px = settings.size_px
        layers: list[nn.Module] = []
        channels = 3
        for number in range(6):
            wide = settings.num_filters * 2 ** (number // 2)
            stride = 2 - number % 2
            layers += [
                nn.Conv2d(channels, wide, 3, stride, 1, bias=False),
                nn.BatchNorm2d(wide),
                nn.ReLU(),
            ]
            channels = wide
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(channels, 1)

    def forward(self, images: Float[Tensor, "batch 3 size size"]) -> Float[Tensor, " batch"]:
        """Compute the logit of "painting" for images in [-1, 1]."""
        logits: Tensor = self.head(self.layers(images).mean(dim=(2, 3)))
        return logits[:, 0]


def train_classifier(
    photos: Crops, paintings: Crops, settings: DeceptionParameters
) -> PaintingClassifier:
    """Train the classifier on real training pictures, as many photographs as paintings a step.

    Both kinds are mirrored, recoloured, blurred and made grainy at random, so that none of this
    tells them apart.

    Raises:
        ValueError: if there is no photograph or no painting.
    """
    if min(len(photos), len(paintings)) == 0:
        raise ValueError(
            f"there are {len(photos)} photos and {len(paintings)} paintings, expected both"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = PaintingClassifier(settings)
    generator = torch.Generator().manual_seed(settings.seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate)
    half = settings.batch_size // 2
    labels = torch.cat([torch.zeros(half), torch.ones(half)])
    for step in range(settings.num_steps):
        for group in optimiser.param_groups:
            group["lr"] = settings.learning_rate * (1.0 - step / settings.num_steps)
        batch = torch.cat(
            [
                _images(kind[_draw(len(kind), half, generator)], settings.size_px)
                for kind in (photos, paintings)
            ]
        )
        logits = network(_altered(batch, generator))
        optimiser.zero_grad()
        loss = functional.binary_cross_entropy_with_logits(logits, labels)
        torch.autograd.backward(loss)
        optimiser.step()
    return network.eval()


@torch.no_grad()
def taken_for_paintings(crops: Crops, network: PaintingClassifier) -> Bool[np.ndarray, " n"]:
    """Tell of each crop whether the classifier takes it for a painting."""
    answers = [np.empty(0, dtype=np.bool_)]
    for start in range(0, len(crops), _BATCH):
        images = _images(crops[start : start + _BATCH], network.size_px)
        answers.append((network(images) > 0.0).numpy())
    return np.concatenate(answers)


def deception_rate(taken: Bool[np.ndarray, " n"]) -> Interval:
    """Compute the share of pictures that are taken for paintings, with Wilson's interval."""
    return wilson_interval(taken)


def _images(crops: Crops, size_px: int) -> Float[Tensor, "n 3 size size"]:
    images = to_model_range(crops)
    if images.shape[-1] == size_px:
        return images
    size = (size_px, size_px)
    return functional.interpolate(images, size, mode="bilinear", antialias=True)


def _draw(count: int, number: int, generator: torch.Generator) -> np.ndarray:
    return torch.randint(count, (number,), generator=generator).numpy()


def _altered(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror, recolour, blur and roughen at random, each picture for itself."""
    count = len(images)

    def drawn(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand((count, *shape), generator=generator)

    mirrored = drawn(0.0, 1.0, 1, 1, 1) < 0.5
    images = torch.where(mirrored, images.flip(3), images)
    gain, shift = drawn(0.5, 1.3, 3, 1, 1), drawn(-0.3, 0.3, 3, 1, 1)
    grey = images.mean(dim=1, keepdim=True)
    images = grey + drawn(0.3, 1.3, 1, 1, 1) * (images - grey)
    images = (images + 1.0) * gain - 1.0 + shift
    for _ in range(3):  # up to a Gaussian of 1.4 px
        means = functional.avg_pool2d(functional.pad(images, (1, 1, 1, 1), mode="replicate"), 3, 1)
        images = torch.lerp(images, means, drawn(0.0, 1.0, 1, 1, 1))
    noise = torch.randn((count, 1, *images.shape[2:]), generator=generator)
    return (images + drawn(0.0, 0.1, 1, 1, 1) * noise).clamp(-1.0, 1.0)
