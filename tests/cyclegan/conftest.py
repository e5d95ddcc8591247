"""Small trainings and stand-ins for what lies around them."""

from collections.abc import Callable, Iterator

import pytest
import torch
from lightning_fabric import Fabric
from support.in_memory import MemoryStore, MemoryTracker
from support.tiny_training import tiny_faces, tiny_parameters
from torch import Tensor, nn

from portrait_pipeline.cyclegan.data import TrainingData
from portrait_pipeline.cyclegan.services import Services
from portrait_pipeline.images import FaceSet
from portrait_pipeline.parameters import TrainingParameters


class TinyTeacher(nn.Module):
    """A seeded stand-in for a face network: unit vectors of 8 values."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(11)
        self.weights = torch.randn(8, 3, 8, 8, generator=generator)

    def forward(self, images: Tensor) -> Tensor:
        assert images.dtype == torch.float32
        features = nn.functional.conv2d(images, self.weights, stride=4).tanh().mean(dim=(2, 3))
        return nn.functional.normalize(features, dim=1)


@pytest.fixture
def parameters() -> Callable[..., TrainingParameters]:
    return tiny_parameters


@pytest.fixture
def faces() -> Callable[[int, int], FaceSet]:
    return tiny_faces


@pytest.fixture
def data() -> TrainingData:
    return TrainingData(tiny_faces(5, 1), tiny_faces(4, 2))


@pytest.fixture
def tracker() -> MemoryTracker:
    return MemoryTracker()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def services(tracker: MemoryTracker, store: MemoryStore) -> Services:
    return Services(tracker=tracker, store=store)


@pytest.fixture
def teacher() -> TinyTeacher:
    return TinyTeacher()


@pytest.fixture
def fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1)


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)
