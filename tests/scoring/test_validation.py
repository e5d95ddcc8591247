"""What a training watches itself with: numbers that are right where the answer is known."""

import numpy as np
import pytest
import torch
from torch import nn

from portrait_pipeline.images import FaceSet
from portrait_pipeline.scoring.validation import Validation, painted_identity


@pytest.fixture
def faces() -> FaceSet:
    """Five random pictures."""
    pixels = np.random.default_rng(1).integers(0, 256, (5, 32, 32, 3), np.uint8)
    return FaceSet(tuple("abcde"), pixels)


class Unchanged(nn.Module):
    """A generator that returns its input."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the images."""
        return images


def describe(crops: np.ndarray) -> np.ndarray:
    """Stand in for a judge: each picture's own direction."""
    flat = crops.reshape(len(crops), -1).astype(np.float32)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


def test_generators_that_change_nothing_keep_everything(faces: FaceSet) -> None:
    """SSIM and identity are 1, the reconstruction is exact, and photos are no farther than 0."""
    scores = Validation(faces, faces, describe, batch_size=2)(Unchanged(), Unchanged())
    assert scores.pop("validation_kid") <= 0.0  # without bias, a set is below 0 from itself
    assert scores == {
        "validation_ssim": pytest.approx(1.0, abs=1e-5),
        "validation_reconstruction_l1": 0.0,
        "validation_identity_similarity": pytest.approx(1.0, abs=1e-5),
        "validation_swd": pytest.approx(0.0, abs=1e-5),
        "validation_painted_identity": pytest.approx(1.0, abs=1e-5),  # the photos are the paintings
    }


@pytest.mark.parametrize("count", [5, 3], ids=["kid", "swd"])
def test_a_copy_of_the_photographs_paints_nothing(faces: FaceSet, count: int) -> None:
    """Law: with other pictures as paintings, generators that change nothing score 0, not 1."""
    photos = faces.subset(faces.names[:count])
    dark = FaceSet(tuple("vwxyz")[:count], photos[np.arange(count)] // 4)
    scores = Validation(photos, dark, describe, batch_size=2)(Unchanged(), Unchanged())
    assert scores["validation_identity_similarity"] == pytest.approx(1.0, abs=1e-5)
    assert scores["validation_painted_identity"] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("identity", "distance", "score"),
    [(0.8, 0.0, 0.8), (0.8, 60.0, 0.4), (1.0, 120.0, 0.0), (1.0, 240.0, -1.0), (0.5, -3.0, 0.5)],
)
def test_identity_counts_as_far_as_it_is_painted(
    identity: float, distance: float, score: float
) -> None:
    """Law: paintings' distance keeps all of the identity, the photographs' none."""
    assert painted_identity(identity, distance, distance_of_photos=120.0) == pytest.approx(score)


def test_without_pictures_nothing_is_scored(faces: FaceSet) -> None:
    """`num_validation_pictures: 0` means no validation, not an error."""
    none = faces.subset(())
    assert Validation(none, none, describe, batch_size=2)(Unchanged(), Unchanged()) == {}
