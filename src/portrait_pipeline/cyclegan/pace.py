"""How long a training takes: measured on its own first steps, or, to refuse it, on small ones."""

import logging
import time
from collections.abc import Callable

import torch
from lightning_fabric import Fabric

from portrait_pipeline.cyclegan.batches import Batch
from portrait_pipeline.cyclegan.machine import clock_time, in_words, peak_memory_mb, start_fabric
from portrait_pipeline.cyclegan.schedule import objective_at
from portrait_pipeline.cyclegan.state import build_state
from portrait_pipeline.cyclegan.step import StepContext, training_step
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.parameters import TrainingParameters

TIMED_STEPS = 3
TIMED_SIZE_PX = 128

logger = logging.getLogger(__name__)


class Pace:
    """Times the first steps of a training, of which the very first is not counted, and says it.

    Args:
        model: Name of the model.
        remaining: Steps that the training still has to take.
        clock: Seconds that only go forward.
        device: Whose memory is meant.
    """

    def __init__(
        self, model: str, remaining: int, clock: Callable[[], float], device: torch.device
    ) -> None:
        self._model, self._remaining = model, remaining
        self._clock, self._device = clock, device
        self._times: list[float] = []

    def step_done(self) -> None:
        """Note the time; once enough steps were timed, log the one line with the estimate."""
        if len(self._times) > TIMED_STEPS:
            return
        self._times.append(self._clock())
        if len(self._times) == min(TIMED_STEPS + 1, self._remaining) and len(self._times) > 1:
            self._say()

    def _say(self) -> None:
        timed = len(self._times) - 1
        seconds = (self._times[-1] - self._times[0]) / timed
        left = seconds * (self._remaining - len(self._times))
        logger.info(
            "%s: %s steps of %.2f s, %s to go (until %s), %.0f MB of memory",
            self._model,
            f"{self._remaining:,}",
            seconds,
            in_words(left),
            clock_time(left),
            peak_memory_mb(self._device),
        )


def refuse_slow_training(parameters: TrainingParameters, num_steps: int) -> None:
    """Stop a training that would take weeks on a CPU, unless `allow_cpu` says it may.

    The estimate comes from two steps without teacher on noise of at most 128 px, scaled by the
    number of pixels; they share nothing with the training. Callable before any other work.

    Args:
        parameters: Of the training.
        num_steps: Steps that it would take in all.

    Raises:
        PortraitPipelineError: if no accelerator is seen and `allow_cpu` is false; with the
            estimate and what to do instead.
    """
    fabric = start_fabric(parameters)
    if parameters.allow_cpu or fabric.device.type != "cpu":
        return
    seconds = _seconds_per_step(parameters, fabric)
    raise PortraitPipelineError(
        f"no GPU is seen and allow_cpu is false: {num_steps:,} steps of {seconds:.1f} s would take"
        f" about {in_words(seconds * num_steps)} on this CPU; use `--env=sample` for a training of"
        " minutes, or `--params allow_cpu=true` to train all the same"
    )


def _seconds_per_step(parameters: TrainingParameters, fabric: Fabric) -> float:
    size = min(TIMED_SIZE_PX, parameters.image_size_px)
    plain = {"lambda_perceptual": 0.0, "perceptual_gradient_share": None, "compile": False}
    small = parameters.model_copy(update={"image_size_px": size, **plain})
    state, step_context = (
        build_state(small, fabric.device),
        StepContext(fabric, None, small.ema_decay),
    )
    shape = (parameters.batch_size, 3, size, size)
    batch, objective = Batch(torch.zeros(shape), torch.zeros(shape)), objective_at(small, 0, 1)
    training_step(state, batch, objective, step_context)
    begin = time.perf_counter()
    training_step(state, batch, objective, step_context)
    seconds = time.perf_counter() - begin
    return seconds * (parameters.image_size_px / size) ** 2
