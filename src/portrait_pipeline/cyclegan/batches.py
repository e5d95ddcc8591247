"""Unpaired batches: every epoch its own seeded order of each domain, sharded by process."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from portrait_pipeline.cyclegan.data import TrainingData, release_pages
from portrait_pipeline.cyclegan.state import Stream, random_generator
from portrait_pipeline.images import FaceSet, to_model_range

RELEASE_EVERY = 64


@dataclass(frozen=True)
class Batch:
    """What one step trains on, images in [-1, 1] and, for a perceptual term, their embeddings."""

    photos: Float[Tensor, "batch 3 height width"]
    paintings: Float[Tensor, "batch 3 height width"]
    photo_embeddings: Float[Tensor, "batch dimension"] | None = None
    painting_embeddings: Float[Tensor, "batch dimension"] | None = None

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on another device."""
        parts = (self.photos, self.paintings, self.photo_embeddings, self.painting_embeddings)
        photos, paintings, photo_embeddings, painting_embeddings = (
            None if part is None else part.to(device, non_blocking=True) for part in parts
        )
        if photos is None or paintings is None:
            raise ValueError("a batch without pictures")
        return Batch(photos, paintings, photo_embeddings, painting_embeddings)


@dataclass(frozen=True)
class Order:
    """Which pictures of one domain an epoch shows, in turn, and which of them mirrored."""

    rows: Int[Tensor, " shown"]
    flipped: Bool[Tensor, " shown"]


@dataclass(frozen=True)
class UnpairedBatches:
    """The batches of a training as a function of epoch and position alone.

    An epoch has max(photos, paintings) // (batch size x processes) steps, at least one. The
    longer domain is shown in a new seeded permutation, of which the few pictures that fill no
    whole batch are left out this time; of the shorter one as many permutations follow one another
    as are needed. Process r of p takes the r-th part of every step's batch, so that p processes
    see together what one with a batch p times as large would.

    Attributes:
        data: The two sets.
        batch_size: Pictures of each domain per step and process.
        horizontal_flip: Whether each picture is mirrored at even odds.
        seed: Seed of the training.
        rank: Which process this is, from 0.
        world_size: How many processes there are.
    """

    data: TrainingData
    batch_size: int
    horizontal_flip: bool
    seed: int
    rank: int = 0
    world_size: int = 1

    @property
    def steps_per_epoch(self) -> int:
        """Steps that one epoch takes."""
        return steps_per_epoch(
            max(len(self.data.photos), len(self.data.paintings)), self.batch_size, self.world_size
        )

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch from position `start` on; no picture is decoded."""
        photo_order = self.order(epoch, len(self.data.photos), Stream.PHOTO_ORDER)
        painting_order = self.order(epoch, len(self.data.paintings), Stream.PAINTING_ORDER)
        embeddings = self.data.real_embeddings
        for position in range(start, self.steps_per_epoch):
            photo, painting = (
                self._turn(photo_order, position),
                self._turn(painting_order, position),
            )
            yield Batch(
                _pictures(self.data.photos, photo),
                _pictures(self.data.paintings, painting),
                None if embeddings is None else embeddings.photo[photo.rows, photo.flipped.long()],
                None
                if embeddings is None
                else embeddings.painting[painting.rows, painting.flipped.long()],
            )
            if position % RELEASE_EVERY == 0:
                release_pages(self.data.photos)
                release_pages(self.data.paintings)

    def order(self, epoch: int, count: int, stream: Stream) -> Order:
        """Return what all processes together show of one domain in an epoch."""
        shown = self.steps_per_epoch * self.batch_size * self.world_size
        generator = random_generator(self.seed, stream, epoch)
        rounds = -(-shown // count)
        rows = torch.cat([torch.randperm(count, generator=generator) for _ in range(rounds)])
        flipped = torch.randint(2, (shown,), generator=generator).bool()
        return Order(rows[:shown], flipped & self.horizontal_flip)

    def _turn(self, order: Order, position: int) -> Order:
        first = (position * self.world_size + self.rank) * self.batch_size
        part = slice(first, first + self.batch_size)
        return Order(order.rows[part], order.flipped[part])


def steps_per_epoch(num_pictures: int, batch_size: int, world_size: int) -> int:
    """Return the steps of an epoch, where the larger domain holds `num_pictures`."""
    return max(1, num_pictures // (batch_size * world_size))


def _pictures(faces: FaceSet, turn: Order) -> Float[Tensor, "batch 3 height width"]:
    pixels = faces[turn.rows.numpy()]
    flipped = turn.flipped.numpy()
    pixels[flipped] = np.ascontiguousarray(pixels[flipped][:, :, ::-1])
    return to_model_range(pixels)
