"""What training needs of the outside world, as protocols: a tracker, a store, a face network.

The implementations live in `portrait_pipeline.datasets` and `portrait_pipeline.identity`; tests
pass stand-ins that live in memory.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor, nn

Checkpoint = dict[str, Any]
RunStatus = Literal["FINISHED", "FAILED", "KILLED"]


class Embedder(Protocol):
    """A frozen face network: images in [-1, 1] in, L2-normalised float32 embeddings out."""

    def __call__(
        self, images: Float[Tensor, "batch 3 height width"], /
    ) -> Float[Tensor, "batch dimension"]:
        """Embed face crops in [-1, 1]; gradients reach the images."""
        ...


class RunTracker(Protocol):
    """Where one training's settings, curves and pictures are written while it runs.

    Every call raises `TrackingLostError` when what is behind it does not answer.
    """

    def start(
        self,
        name: str,
        parameters: Mapping[str, object],
        tags: Mapping[str, str],
        tracking_id: str | None = None,
    ) -> str:
        """Open a run, or go on in the one named by `tracking_id`; return the run's id."""
        ...

    def last_step(self, metric: str) -> int:
        """Return the last step at which the open run holds a metric, or -1 for none.

        A resumed training logs only what comes after it, so that no point stands twice.
        """
        ...

    def log_metrics(self, metrics: Mapping[str, float], step: int) -> None:
        """Write all metrics of one step (an epoch's number) in one go."""
        ...

    def log_image(self, key: str, image: UInt8[np.ndarray, "height width 3"], step: int) -> None:
        """Keep a picture, uint8 in [0, 255], under `key`."""
        ...

    def finish(self, status: RunStatus) -> None:
        """Close the run."""
        ...


class CheckpointStore(Protocol):
    """Where the state of an unfinished training is kept between steps."""

    def save(self, state: Checkpoint) -> None:
        """Write the state so that it outlives a crash at any moment.

        The tensors are those of the running training: copy them, or write them out before
        returning.
        """
        ...

    def load(self) -> Checkpoint | None:
        """Return the last state that was saved, with tensors on the CPU, or None."""
        ...

    def clear(self) -> None:
        """Forget all that was saved before this run: a new training begins."""
        ...


class Validate(Protocol):
    """Scores a pair of generators (in eval mode) on the validation pictures."""

    def __call__(
        self, photo_to_portrait: nn.Module, portrait_to_photo: nn.Module, /
    ) -> Mapping[str, float]:
        """Return one number for each metric's name."""
        ...


@dataclass(frozen=True)
class Services:
    """What a training talks to while it runs.

    Attributes:
        tracker: Takes settings, curves and pictures.
        store: Keeps the state between steps.
        validate: Scores the averaged generators every `validate_every_epochs` epochs, or None.
        sample_photos: Pictures of the sample grid; None: the first photos of the training.
        clock: Seconds that only go forward.
    """

    tracker: RunTracker
    store: CheckpointStore
    validate: Validate | None = None
    sample_photos: UInt8[np.ndarray, "shown size size 3"] | None = None
    clock: Callable[[], float] = field(default=time.monotonic)
