"""A training in memory: crops of noise, a tracker and a store of checkpoints."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from portrait_pipeline.images import FaceSet


def noise_faces(count: int, seed: int, size_px: int) -> FaceSet:
    """Make crops of noise; names and pixels follow from the seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (count, size_px, size_px, 3), np.uint8)
    return FaceSet(tuple(f"{seed}-{row}.png" for row in range(count)), pixels)


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
