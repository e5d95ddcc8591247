"""When a training saves its state, and what it refuses to save."""

from collections.abc import Callable

import torch

from portrait_pipeline.cyclegan.state import TrainingState


class SaveTimer:
    """Says after which steps to save: every so many, and whenever so many minutes have passed.

    Args:
        every_steps: Steps between two saves.
        every_minutes: Minutes after which to save at the latest.
        clock: Seconds that only go forward.
    """

    def __init__(self, every_steps: int, every_minutes: float, clock: Callable[[], float]) -> None:
        self._every_steps, self._every_seconds = every_steps, 60.0 * every_minutes
        self._clock = clock
        self._last = clock()

    def is_due(self, step: int) -> bool:
        """Whether to save after `step` steps."""
        return step % self._every_steps == 0 or self._clock() - self._last >= self._every_seconds

    def saved(self) -> None:
        """Start the minutes anew."""
        self._last = self._clock()


def all_weights_finite(state: TrainingState) -> bool:
    """Whether no weight of the four networks is NaN or infinite."""
    weights = [
        *state.networks.generator_parameters(),
        *state.networks.discriminator_parameters(),
    ]
    return bool(torch.stack([weight.detach().isfinite().all() for weight in weights]).all())
