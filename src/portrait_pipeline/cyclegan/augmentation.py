"""DiffAugment: discriminators see every picture changed at random (Zhao et al. 2020)."""

from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F  # noqa: N812  the field's own name
from jaxtyping import Bool, Float, Int
from torch import Tensor

from portrait_pipeline.cyclegan.state import Stream, random_generator
from portrait_pipeline.parameters import TrainingParameters

Images = Float[Tensor, "batch 3 height width"]
NUM_HALVES = 2


@dataclass(frozen=True)
class DiffAugment:
    """Changes real and generated pictures alike before a discriminator sees them.

    With a few hundred pictures a discriminator learns them by heart. Zhao et al. 2020 show it
    T(x) in place of x, real or fake, where T is drawn anew each time and differentiable, so that a
    generator learns through it and does not learn T itself. T moves colours (the mean μ of the
    picture stays where brightness puts it), then the picture, then hides a square of it:

        x ← (x - μ) (1 + c) + μ + b,  shifted by (dy, dx) with 0 beyond the border,  0 in the square

    In each step one T is drawn for each pair of a real picture and the fake beside it.

    Attributes:
        brightness: b is even in ± this, on a scale on which pictures are in [-1, 1] (paper: 0.5).
        contrast: c is even in ± this (paper: 0.5).
        translation: dy and dx are whole pixels, even in ± this share of the edge (paper: 1/8).
        cutout: Edge of the square as a share of the picture's; its middle is anywhere in the
            picture (paper: 1/2).
        size_px: Edge of the pictures.
        seed: Of the training.
        rank: Which process this is.
    """

    brightness: float
    contrast: float
    translation: float
    cutout: float
    size_px: int
    seed: int
    rank: int = 0

    @classmethod
    def of(cls, parameters: TrainingParameters, rank: int) -> Self | None:
        """Return what the parameters ask for, or None where every strength is 0."""
        strengths = (
            parameters.augment_brightness,
            parameters.augment_contrast,
            parameters.augment_translation,
            parameters.augment_cutout,
        )
        if not any(strengths):
            return None
        return cls(*strengths, parameters.image_size_px, parameters.seed, rank)

    def draw(self, step: int, count: int) -> Float[Tensor, "2 count 6"]:
        """Draw T for both halves of a step, on the CPU; a function of seed, process and step alone.

        Args:
            step: Steps taken before this one.
            count: Pictures of each domain.

        Returns:
            For each picture b, 1 + c, dy, dx, and the middle of the square, row and column; the
            last four are whole numbers.
        """
        generator = random_generator(self.seed, Stream.AUGMENTATION, self.rank, step)
        shape, most = (NUM_HALVES, count, 2), self._most_px
        colours = torch.rand(shape, generator=generator) * 2 - 1
        shifts = torch.randint(-most, most + 1, shape, generator=generator)
        middles = torch.randint(self.size_px, shape, generator=generator)
        strengths = torch.tensor([self.brightness, self.contrast])
        return torch.cat([colours * strengths + torch.tensor([0.0, 1.0]), shifts, middles], dim=2)

    @property
    def _most_px(self) -> int:
        return int(self.size_px * self.translation + 0.5)

    def __call__(self, images: Images, drawn: Float[Tensor, "count 6"]) -> Images:
        """Change pictures as drawn; nothing waits for the device, and every operation repeats.

        Args:
            images: One picture for each drawn T, or several times as many, set after set.
            drawn: One half of what `draw` returned, on the images' device.
        """
        colours, whole = torch.split(drawn.repeat(len(images) // len(drawn), 1), [2, 4], dim=1)
        if self.brightness or self.contrast:
            images = _recoloured(images, colours)
        shifts, middles = whole.long().chunk(2, dim=1)
        if self._most_px:
            images = _shifted(images, shifts, self._most_px)
        if self.cutout:
            images = _with_hole(images, middles, int(self.size_px * self.cutout + 0.5))
        return images


def _recoloured(images: Images, colours: Float[Tensor, "batch 2"]) -> Images:
    shift, factor = colours[:, :, None, None, None].unbind(1)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return (images - mean) * factor + mean + shift


def _shifted(images: Images, shifts: Int[Tensor, "batch 2"], most: int) -> Images:
    """Move each picture by its whole pixels, down and right.

    Rows and columns are selected by numbers on the device, each at most once, so that the gradient,
    a sum over where a row went, has one summand and repeats bit for bit on a GPU too.
    """
    padded = F.pad(images, [most] * 4)
    steps = torch.arange(images.shape[2], device=images.device) + most
    rows, columns = (steps - shifts[:, axis, None] for axis in (0, 1))
    moved = zip(torch.split(padded, 1), rows, columns, strict=True)
    return torch.cat(
        [one.index_select(2, row).index_select(3, column) for one, row, column in moved]
    )


def _with_hole(images: Images, middles: Int[Tensor, "batch 2"], edge: int) -> Images:
    steps = torch.arange(images.shape[2], device=images.device)

    def inside(axis: int) -> Bool[Tensor, "batch size"]:
        first = middles[:, axis, None] - edge // 2
        return (steps >= first) & (steps < first + edge)

    return images * ~(inside(0)[:, None, :, None] & inside(1)[:, None, None, :])
