"""The pictures of one training, and the hash by which a resumed training recognises them."""

import hashlib
import mmap
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from portrait_pipeline.cyclegan.services import Embedder
from portrait_pipeline.cyclegan.state import Stream, random_generator
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.identity.embedding import embed_pairs
from portrait_pipeline.images import FaceSet, JoinedPixels

CHUNK = 256


@dataclass(frozen=True)
class RealEmbeddings:
    """The teacher's embeddings of the real training pictures, made once before training.

    Attributes:
        photo: One row per photo, in the order of its FaceSet: [:, 0] as it is, [:, 1] mirrored.
        painting: The same of the paintings.
    """

    photo: Float[Tensor, "photos 2 dimension"]
    painting: Float[Tensor, "paintings 2 dimension"]


@dataclass(frozen=True)
class TrainingData:
    """Two unpaired sets of face crops and, for a perceptual term, their embeddings.

    Attributes:
        photos: Crops of photographs.
        paintings: Crops of paintings; there may be more or fewer of them.
        real_embeddings: For both sets, or None for the baseline.
    """

    photos: FaceSet
    paintings: FaceSet
    real_embeddings: RealEmbeddings | None = None

    def check(self, image_size_px: int) -> None:
        """Refuse sets that cannot be trained on.

        Raises:
            PortraitPipelineError: if a set is empty or of another size, or the embeddings are of
                another number of pictures.
        """
        for domain, faces in (("photo", self.photos), ("painting", self.paintings)):
            if len(faces) == 0:
                raise PortraitPipelineError(
                    f"the training split holds no {domain} crops, expected at least one; run"
                    " `kedro run --pipeline=ingest` with more pictures"
                )
            if faces.size_px != image_size_px:
                raise PortraitPipelineError(
                    f"image_size_px is {image_size_px}, but the {domain} crops are"
                    f" {faces.size_px} px wide; run `kedro run --pipeline=ingest` again"
                )
        if self.real_embeddings is not None:
            embedded = (len(self.real_embeddings.photo), len(self.real_embeddings.painting))
            if embedded != (len(self.photos), len(self.paintings)):
                raise PortraitPipelineError(
                    f"the real embeddings are of {embedded} pictures, expected"
                    f" {(len(self.photos), len(self.paintings))}; make them again for this split"
                )

    def with_embeddings_on(self, device: torch.device) -> "TrainingData":
        """Return the same data with the embeddings, if there are any, on a device."""
        if self.real_embeddings is None:
            return self
        photo, painting = self.real_embeddings.photo, self.real_embeddings.painting
        return replace(self, real_embeddings=RealEmbeddings(photo.to(device), painting.to(device)))

    def limited(self, num_pairs: int | None, seed: int) -> "TrainingData":
        """Return a seeded choice of `num_pairs` pictures of each domain (report, section 5.3).

        Raises:
            PortraitPipelineError: if there are fewer pictures than that.
        """
        if num_pairs is None:
            return self
        if num_pairs > min(len(self.photos), len(self.paintings)):
            raise PortraitPipelineError(
                f"num_training_pairs is {num_pairs}, but the training split holds"
                f" {len(self.photos)} photos and {len(self.paintings)} paintings; ask for fewer"
            )
        photo_rows = _choice(len(self.photos), num_pairs, seed, 0)
        painting_rows = _choice(len(self.paintings), num_pairs, seed, 1)
        embeddings = self.real_embeddings
        return TrainingData(
            self.photos.subset([self.photos.names[i] for i in photo_rows]),
            self.paintings.subset([self.paintings.names[i] for i in painting_rows]),
            embeddings
            and RealEmbeddings(embeddings.photo[photo_rows], embeddings.painting[painting_rows]),
        )


def _choice(count: int, chosen: int, seed: int, domain: int) -> list[int]:
    generator = random_generator(seed, Stream.TRAINING_PAIRS, domain)
    return sorted(torch.randperm(count, generator=generator)[:chosen].tolist())


def embed_real_faces(
    embedder: Embedder, data: TrainingData, device: torch.device
) -> RealEmbeddings:
    """Embed every training picture as it is and mirrored, once, before training."""
    photo, painting = (
        torch.from_numpy(embed_pairs(faces, embedder, device))
        for faces in (data.photos, data.paintings)
    )
    return RealEmbeddings(photo, painting)


def data_hash(data: TrainingData) -> str:
    """Return the SHA-256 of all names and pixels of both sets, in their order."""
    digest = hashlib.sha256()
    for faces in (data.photos, data.paintings):
        digest.update(f"{len(faces)} {faces.pixels.shape[1:]}".encode())
        for part in _parts(faces):
            digest.update(part)
    return digest.hexdigest()


def _parts(faces: FaceSet) -> Iterator[bytes]:
    for start in range(0, len(faces), CHUNK):
        stop = min(start + CHUNK, len(faces))
        yield "\0".join(faces.names[start:stop]).encode()
        yield faces[np.arange(start, stop)].tobytes()
        release_pages(faces)


def release_pages(faces: FaceSet) -> None:
    """Give back the resident memory of a memory-mapped set; it stays in the system's cache."""
    pixels = faces.pixels
    for part in pixels.parts if isinstance(pixels, JoinedPixels) else (pixels,):
        owner: object = part
        while isinstance(owner, np.ndarray):
            owner = owner.base
        if isinstance(owner, mmap.mmap):
            owner.madvise(mmap.MADV_DONTNEED)
