"""What `benchmarks.gpu` runs: the textbook's step and the pipeline's, on noise, on one device."""

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.step import Size, parameters
from benchmarks.textbook import TextbookStep, discriminator, generator
from portrait_pipeline.cyclegan.batches import UnpairedBatches
from portrait_pipeline.cyclegan.data import TrainingData, embed_real_faces
from portrait_pipeline.cyclegan.device_pictures import place_pictures
from portrait_pipeline.cyclegan.device_steps import steps_of
from portrait_pipeline.cyclegan.distributed import for_device, start_fabric
from portrait_pipeline.cyclegan.schedule import objective_at
from portrait_pipeline.cyclegan.state import build_state
from portrait_pipeline.cyclegan.step import StepContext
from portrait_pipeline.images import FaceSet

MODELS = {"baseline": 0.0, "proposed": 5.0}
NUM_PICTURES = 32


class TinyTeacher(nn.Module):
    """Stands in for the face network where only the code is tried."""

    def forward(self, images: Tensor) -> Tensor:
        """Embed by the mean colours of a 4 x 4 grid."""
        return nn.functional.normalize(nn.functional.avg_pool2d(images, 8).flatten(1), dim=1)


class Memory:
    """A tracker and a store that keep nothing but the times at which epochs ended."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def start(self, *_given: object) -> str:
        """Open nothing."""
        return "benchmark"

    def last_step(self, _metric: str) -> int:
        """Hold only what was sent."""
        return len(self.ends)

    def log_metrics(self, _metrics: Mapping[str, float], _step: int) -> None:
        """Note when the epoch was complete."""
        self.ends.append(time.perf_counter())

    def log_image(self, *_given: object) -> None:
        """Keep no picture."""

    def finish(self, _status: str) -> None:
        """Close nothing."""

    def save(self, _state: dict[str, Any]) -> None:
        """Write no state."""

    def load(self) -> None:
        """Hold no state."""

    def clear(self) -> None:
        """Forget nothing."""


def noise(count: int, size_px: int, seed: int) -> FaceSet:
    """Make crops of noise."""
    shape = (count, size_px, size_px, 3)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    return FaceSet(tuple(map(str, range(count))), pixels)


def settings_for(size: Size, model: str, device: torch.device) -> Any:
    """Return the report's settings at this size; `auto` is what a user gets."""
    changes = {"accelerator": device.type, "num_validation_pictures": 0, "selection_metric": None}
    settings = parameters(size, MODELS[model]).model_copy(update=changes)
    return for_device(settings, device)


def textbook_step(
    size: Size, model: str, teacher: nn.Module, device: torch.device, is_tuned: bool
) -> Callable[[], object]:
    """Build the plain step on fixed noise."""
    layout = torch.channels_last if is_tuned else torch.contiguous_format
    nets = [generator(size.filters, size.blocks) for _ in range(2)]
    nets += [discriminator(size.filters) for _ in range(2)]
    step = TextbookStep(*(net.to(device=device, memory_format=layout) for net in nets))
    shape = (2, size.batch, 3, size.size_px, size.size_px)
    x, y = torch.rand(shape, device=device) * 2 - 1
    embed = teacher if MODELS[model] else None

    def run() -> object:
        torch.backends.cudnn.benchmark = is_tuned
        half = torch.autocast(device.type, torch.bfloat16) if is_tuned else nullcontext()
        with half:
            return step(x, y, embed, MODELS[model])

    return run


def our_step(
    size: Size, model: str, teacher: nn.Module, device: torch.device
) -> tuple[Callable[[], object], Callable[[], object]]:
    """Build the pipeline's step on resident noise; also return what waits for its last terms."""
    settings = settings_for(size, model, device)
    fabric = start_fabric(settings)
    data = TrainingData(noise(NUM_PICTURES, size.size_px, 1), noise(NUM_PICTURES, size.size_px, 2))
    embedder = teacher if MODELS[model] else None
    if embedder is not None:
        data = replace(data, real_embeddings=embed_real_faces(embedder, data, device))
    data = data.with_embeddings_on(device)
    placed = place_pictures(data, device, settings.max_gpu_pictures_gb)
    batches = UnpairedBatches(data, size.batch, True, 0, pictures=placed)
    ready = [batch.to(device) for batch in batches.epoch(0)]
    context = StepContext(fabric, embedder, settings.ema_decay)
    steps = steps_of(settings, build_state(settings, device), context)
    objective, order = objective_at(settings, 0, 1), iter(range(sys.maxsize))

    def run() -> object:
        torch.backends.cudnn.benchmark = settings.cudnn_autotune
        return steps.take(ready[next(order) % len(ready)], objective)

    return run, steps.read
