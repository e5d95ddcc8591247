"""Small trainings and stand-ins for what lies around them."""

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from portrait_pipeline.cyclegan.data import TrainingData
from portrait_pipeline.cyclegan.ports import Surroundings
from portrait_pipeline.images import FaceSet
from portrait_pipeline.parameters import TrainingParameters

SIZE_PX = 32
SETTINGS: dict[str, Any] = {
    "seed": 3,
    "image_size_px": SIZE_PX,
    "num_generator_filters": 4,
    "num_residual_blocks": 1,
    "num_discriminator_filters": 4,
    "num_discriminator_layers": 2,
    "upsampling": "transposed",
    "adversarial_loss": "least_squares",
    "lambda_cycle": 10.0,
    "lambda_perceptual": 0.0,
    "lambda_identity_mapping": 0.0,
    "teacher": "dlib",
    "perceptual_reduction": "sum",
    "perceptual_warmup_epochs": 0,
    "num_epochs": 3,
    "num_decay_epochs": 0,
    "batch_size": 1,
    "learning_rate": 0.0002,
    "adam_beta_1": 0.5,
    "adam_beta_2": 0.999,
    "image_pool_size": 3,
    "horizontal_flip": True,
    "ema_decay": 0.9,
    "validate_every_epochs": 1,
    "num_validation_pictures": 0,
    "sample_grid_every_epochs": 1,
    "save_every_steps": 1000,
    "save_every_minutes": 1000.0,
    "allow_cpu": True,
    "accelerator": "cpu",
    "precision": "32-true",
    "devices": 1,
    "strategy": "auto",
    "channels_last": False,
    "compile": False,
}


class MemoryTracker:
    """A tracker that remembers every call."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.images: list[tuple[str, int, tuple[int, ...]]] = []
        self.starts: list[tuple[str, dict[str, object], str | None]] = []
        self.statuses: list[str] = []

    def start(
        self,
        name: str,
        parameters: Mapping[str, object],
        tags: Mapping[str, str],
        tracking_id: str | None = None,
    ) -> str:
        self.starts.append((name, dict(parameters), tracking_id))
        return tracking_id or f"run-{len(self.starts)}"

    def last_step(self, metric: str) -> int:
        return max((step for step, row in self.rows if metric in row), default=-1)

    def log_metrics(self, metrics: Mapping[str, float], step: int) -> None:
        self.rows.append((step, dict(metrics)))

    def log_image(self, key: str, image: np.ndarray, step: int) -> None:
        assert image.dtype == np.uint8
        self.images.append((key, step, image.shape))

    def finish(self, status: str) -> None:
        self.statuses.append(status)


class MemoryStore:
    """A store that keeps copies; `after_save` lets a test interfere."""

    def __init__(self) -> None:
        self.states: list[dict[str, Any]] = []
        self.after_save: Callable[[dict[str, Any]], None] | None = None

    def save(self, state: dict[str, Any]) -> None:
        self.states.append(copy.deepcopy(state))
        if self.after_save is not None:
            self.after_save(state)

    def load(self) -> dict[str, Any] | None:
        return copy.deepcopy(self.states[-1]) if self.states else None

    def clear(self) -> None:
        self.states.clear()


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


def _faces(count: int, seed: int) -> FaceSet:
    pixels = np.random.default_rng(seed).integers(0, 256, (count, SIZE_PX, SIZE_PX, 3), np.uint8)
    return FaceSet(tuple(f"{seed}-{i}.png" for i in range(count)), pixels)


def _parameters(**changes: Any) -> TrainingParameters:
    return TrainingParameters(**(SETTINGS | changes))


@pytest.fixture
def parameters() -> Callable[..., TrainingParameters]:
    return _parameters


@pytest.fixture
def faces() -> Callable[[int, int], FaceSet]:
    return _faces


@pytest.fixture
def data() -> TrainingData:
    return TrainingData(_faces(5, 1), _faces(4, 2))


@pytest.fixture
def tracker() -> MemoryTracker:
    return MemoryTracker()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def around(tracker: MemoryTracker, store: MemoryStore) -> Surroundings:
    return Surroundings(tracker=tracker, store=store)


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
