"""Settings and pictures of a training that takes a second."""

from typing import Any

from support.in_memory import noise_faces
from support.tiny_model import TRAINING

from portrait_pipeline.images import FaceSet
from portrait_pipeline.parameters import TrainingParameters

SIZE_PX = 32
SETTINGS: dict[str, Any] = {
    **TRAINING,
    "seed": 3,
    "image_size_px": SIZE_PX,
    "num_epochs": 3,
    "image_pool_size": 3,
    "horizontal_flip": True,
    "ema_decay": 0.9,
}


def tiny_faces(count: int, seed: int) -> FaceSet:
    """Return crops of noise of the size that the settings ask for."""
    return noise_faces(count, seed, SIZE_PX)


def tiny_parameters(**changes: Any) -> TrainingParameters:
    """Return the settings with changes."""
    return TrainingParameters(**(SETTINGS | changes))
