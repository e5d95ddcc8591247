"""Unpaired batches: every epoch its own seeded order of each domain, sharded by process."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from portrait_pipeline.cyclegan.data import TrainingData
from portrait_pipeline.cyclegan.device_pictures import HostPictures, Order, Pictures
from portrait_pipeline.cyclegan.state import Stream, random_generator

RELEASE_EVERY = 64


@dataclass(frozen=True)
class Batch:
    """What one step trains on, images in [-1, 1] and, for a perceptual term, their embeddings."""

    photos: Float[Tensor, "batch 3 height width"]
    paintings: Float[Tensor, "batch 3 height width"]
    photo_embeddings: Float[Tensor, "batch dimension"] | None = None
    painting_embeddings: Float[Tensor, "batch dimension"] | None = None
    extra_photos: Float[Tensor, "extra 3 height width"] | None = None
    extra_paintings: Float[Tensor, "extra 3 height width"] | None = None

    @property
    def num_extra(self) -> int:
        """Real pictures of each domain that the discriminators alone see."""
        return 0 if self.extra_photos is None else len(self.extra_photos)

    @property
    def shown_photos(self) -> Float[Tensor, "shown 3 height width"]:
        """The photos that their discriminator sees."""
        return _joined(self.photos, self.extra_photos)

    @property
    def shown_paintings(self) -> Float[Tensor, "shown 3 height width"]:
        """The paintings that their discriminator sees."""
        return _joined(self.paintings, self.extra_paintings)

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on another device."""
        given = {name: part for name, part in vars(self).items() if part is not None}
        return Batch(**{name: part.to(device, non_blocking=True) for name, part in given.items()})


def _joined(pictures: Tensor, extra: Tensor | None) -> Tensor:
    return pictures if extra is None else torch.cat([pictures, extra])


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
        pictures: Where the two sets lie; None: where `data` has them, on the CPU.
        num_extra: Pictures of each domain per step and process that the discriminators see too:
            those that come next in the epoch's order.
    """

    data: TrainingData
    batch_size: int
    horizontal_flip: bool
    seed: int
    rank: int = 0
    world_size: int = 1
    pictures: tuple[Pictures, Pictures] | None = None
    num_extra: int = 0

    @property
    def steps_per_epoch(self) -> int:
        """Steps that one epoch takes."""
        return steps_per_epoch(
            max(len(self.data.photos), len(self.data.paintings)), self.batch_size, self.world_size
        )

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch from position `start` on; no picture is decoded."""
        photos, paintings = self.pictures or (
            HostPictures(self.data.photos),
            HostPictures(self.data.paintings),
        )
        photo_order = photos.place(self.order(epoch, len(self.data.photos), Stream.PHOTO_ORDER))
        painting_order = paintings.place(
            self.order(epoch, len(self.data.paintings), Stream.PAINTING_ORDER)
        )
        embeddings = self.data.real_embeddings
        for position in range(start, self.steps_per_epoch):
            photo, painting = (
                self._part(photo_order, position),
                self._part(painting_order, position),
            )
            yield Batch(
                photos.take(photo),
                paintings.take(painting),
                None if embeddings is None else _of_order(embeddings.photo, photo),
                None if embeddings is None else _of_order(embeddings.painting, painting),
                self._extra(photos, photo_order, position),
                self._extra(paintings, painting_order, position),
            )
            if position % RELEASE_EVERY == 0:
                photos.release()
                paintings.release()

    def order(self, epoch: int, count: int, stream: Stream) -> Order:
        """Return what all processes together show of one domain in an epoch."""
        shown = (self.steps_per_epoch * self.batch_size + self.num_extra) * self.world_size
        generator = random_generator(self.seed, stream, epoch)
        rounds = -(-shown // count)
        rows = torch.cat([torch.randperm(count, generator=generator) for _ in range(rounds)])
        flipped = torch.randint(2, (shown,), generator=generator).bool()
        return Order(rows[:shown], flipped & self.horizontal_flip)

    def _part(self, order: Order, position: int) -> Order:
        first = (position * self.world_size + self.rank) * self.batch_size
        return order.part(first, first + self.batch_size)

    def _extra(
        self, pictures: Pictures, order: Order, position: int
    ) -> Float[Tensor, "extra 3 height width"] | None:
        if not self.num_extra:
            return None
        first = (position + 1) * self.world_size * self.batch_size + self.rank * self.num_extra
        return pictures.take(order.part(first, first + self.num_extra))


def _of_order(
    embeddings: Float[Tensor, "pictures 2 dimension"], order: Order
) -> Float[Tensor, "shown dimension"]:
    return embeddings[order.rows.to(embeddings.device), order.flipped.long().to(embeddings.device)]


def steps_per_epoch(num_pictures: int, batch_size: int, world_size: int) -> int:
    """Return the steps of an epoch, where the larger domain holds `num_pictures`."""
    return max(1, num_pictures // (batch_size * world_size))
