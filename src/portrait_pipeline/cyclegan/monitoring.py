"""What a training reports about itself: rows, pictures, warnings, how long it takes."""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import timedelta

import numpy as np
import torch
from jaxtyping import UInt8
from lightning_fabric import Fabric

from portrait_pipeline import process_resources
from portrait_pipeline.cyclegan.batches import Batch
from portrait_pipeline.cyclegan.distributed import reduce, start_fabric
from portrait_pipeline.cyclegan.schedule import objective_at
from portrait_pipeline.cyclegan.services import RunTracker
from portrait_pipeline.cyclegan.state import TrainingState, build_state
from portrait_pipeline.cyclegan.step import StepContext, training_step
from portrait_pipeline.cyclegan.translate import translate
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.parameters import TrainingParameters
from portrait_pipeline.progress import in_words

NEGLIGIBLE_SHARE = 0.01
MARKER = "generator_loss"
COUNTERS = ("epoch", "step", "validated")  # they say how far a training is; none is a measure

logger = logging.getLogger(__name__)


def epoch_row(state: TrainingState, fabric: Fabric) -> dict[str, float]:
    """Return the mean over the epoch's steps, of all processes, of all that was logged."""
    names = sorted(state.running_terms)
    sums = torch.tensor([state.running_terms[name] for name in names], dtype=torch.float64)
    means = (reduce(sums, fabric, "mean") / max(1, state.position)).tolist()
    return {
        "epoch": state.epoch + 1,
        "step": state.step,
        "learning_rate": state.learning_rate,
        **dict(zip(names, means, strict=True)),
    }


def publish(
    state: TrainingState,
    tracker: RunTracker,
    pictures: UInt8[np.ndarray, "shown size size 3"],
    grid_every_epochs: int,
) -> None:
    """Send the tracker every finished epoch that it does not have yet, the metrics last.

    It is called after the state was saved: an epoch that the tracker has is never lost by a crash,
    and one that it lacks is sent on resuming.
    """
    last = tracker.last_step(MARKER)
    for row in state.history:
        epoch = int(row["epoch"])
        if epoch <= last:
            continue
        if epoch == state.epoch and epoch % grid_every_epochs == 0 and len(pictures):
            tracker.log_image("sample_grid", sample_grid(state, pictures), epoch)
        tracker.log_metrics({name: row[name] for name in row if name not in COUNTERS}, epoch)


def sample_grid(
    state: TrainingState, photos: UInt8[np.ndarray, "shown size size 3"]
) -> UInt8[np.ndarray, "height width 3"]:
    """Lay out photo | portrait | reconstructed photo of the averaged generators, a row for each."""
    generators = state.averaged_generators
    portraits = translate(generators["photo_to_portrait"], photos, 1)
    reconstructed = translate(generators["portrait_to_photo"], portraits, 1)
    columns = [np.concatenate(list(part)) for part in (photos, portraits, reconstructed)]
    return np.concatenate(columns, axis=1)


def warn_of_idle_term(row: Mapping[str, float]) -> None:
    """Warn when the perceptual term has less than 1 % of the gradient, and so does nothing."""
    share = row.get("perceptual_gradient_share")
    if share is not None and share < NEGLIGIBLE_SHARE:
        logger.warning(
            "the perceptual term has %.2g %% of the generators' gradient at λ_p = %g, too little to"
            " do anything; raise `lambda_perceptual` or use `perceptual_reduction: sum`",
            100 * share,
            row["lambda_perceptual"],
        )


TIMED_STEPS = 3
FIRST_STEPS_ON_CUDA = 20
TIMED_SIZE_PX = 128


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
        # on a GPU the first steps choose algorithms and are captured
        self._untimed = FIRST_STEPS_ON_CUDA if device.type == "cuda" else 0

    def step_done(self) -> None:
        """Note the time; once enough steps were timed, log the one line with the estimate."""
        self._untimed -= 1
        if len(self._times) > TIMED_STEPS or self._untimed >= 0:
            return
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
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


def peak_memory_mb(device: torch.device) -> float:
    """Return the most memory used so far in MB: the GPU's, or this process's resident memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return process_resources.peak_memory_mb()


def clock_time(seconds_from_now: float) -> str:
    """Return the local time of day so many seconds from now, with the date if it is not today."""
    now = time.time()
    then = time.localtime(now + timedelta(seconds=seconds_from_now).total_seconds())
    same_day = then.tm_yday == time.localtime(now).tm_yday and seconds_from_now < 86400
    return time.strftime("%H:%M" if same_day else "%Y-%m-%d %H:%M", then)
