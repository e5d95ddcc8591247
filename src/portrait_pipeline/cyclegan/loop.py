"""The loop of one training: epochs, saving, validation, tracking, and how it may end."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from portrait_pipeline.cyclegan.batches import UnpairedBatches
from portrait_pipeline.cyclegan.checkpoint import (
    WITHOUT_EFFECT,
    Fingerprint,
    restore,
    take_checkpoint,
)
from portrait_pipeline.cyclegan.device_steps import steps_of
from portrait_pipeline.cyclegan.distributed import any_rank, broadcast, report_lost_process
from portrait_pipeline.cyclegan.interruption import Interruption, listen_for_interruption
from portrait_pipeline.cyclegan.monitoring import Pace, epoch_row, publish, warn_of_idle_term
from portrait_pipeline.cyclegan.retention import (
    SaveTimer,
    all_weights_finite,
    keep_best,
    keep_recent,
    should_stop,
)
from portrait_pipeline.cyclegan.schedule import learning_rate_at, objective_at
from portrait_pipeline.cyclegan.services import Checkpoint, RunStatus, Services
from portrait_pipeline.cyclegan.state import TrainingState
from portrait_pipeline.cyclegan.step import StepContext
from portrait_pipeline.cyclegan.warm_start import start_from
from portrait_pipeline.errors import (
    PortraitPipelineError,
    TrackingLostError,
    TrainingInterruptedError,
)
from portrait_pipeline.parameters import TrainingParameters
from portrait_pipeline.progress import Bar, progress_bar

NUM_SAMPLE_PHOTOS = 6

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Training:
    """The parts that compute."""

    parameters: TrainingParameters
    batches: UnpairedBatches
    step_context: StepContext
    state: TrainingState


class TrainingLoop:
    """Runs one training: epochs, saving, validation, tracking."""

    def __init__(self, training: Training, fingerprint: Fingerprint, services: Services) -> None:
        self.parameters, self.state = training.parameters, training.state
        self.batches, self.step_context = training.batches, training.step_context
        self.fabric = training.step_context.fabric
        self.fingerprint, self.services = fingerprint, services
        self.steps = steps_of(self.parameters, self.state, training.step_context)
        self.timer = SaveTimer(
            self.parameters.save_every_steps, self.parameters.save_every_minutes, services.clock
        )
        photos = training.batches.data.photos
        shown = services.sample_photos
        self.shown = (
            photos[np.arange(min(NUM_SAMPLE_PHOTOS, len(photos)))] if shown is None else shown
        )

    def run(self) -> Checkpoint:
        """Train until the last epoch, or until early stopping."""
        self._restore_or_clear()
        total = self.parameters.num_epochs * self.batches.steps_per_epoch
        pace = Pace(
            self.fingerprint.model, total - self.state.step, self.services.clock, self.fabric.device
        )
        with (
            self._tracked(),
            listen_for_interruption() as interruption,
            progress_bar(self.fingerprint.model, total, self.state.step) as bar,
        ):
            self._publish()
            while not self._is_done():
                self._steps(interruption, bar, pace)
                self._end_epoch()
                self._stop_if_asked(interruption)
        return take_checkpoint(self.state, self.fingerprint, self.fabric)

    def _is_done(self) -> bool:
        enough = self.state.epoch >= self.parameters.num_epochs
        return enough or should_stop(self.state, self.parameters)

    def _restore_or_clear(self) -> None:
        """Restore the stored state if asked to, or one of this run; otherwise forget it."""
        store, resume = self.services.store, self.parameters.resume
        if not resume:
            self._begin()  # first, for a checkpoint that is not there must not cost a saved state
            if self.fabric.is_global_zero:
                store.clear()
            with report_lost_process(self.fabric):
                self.fabric.barrier()
        checkpoint = store.load()
        if checkpoint is None:
            if resume:
                logger.info(
                    "%s: nothing was saved before, the training begins anew", self.fingerprint.model
                )
                self._begin()
            return
        restore(self.state, checkpoint, self.fingerprint, self.fabric)
        logger.info("%s: goes on after step %s", self.fingerprint.model, f"{self.state.step:,}")

    def _begin(self) -> None:
        """Take the first weights from an earlier training, if one is named."""
        if self.parameters.initial_checkpoint is not None:
            start_from(self.state, Path(self.parameters.initial_checkpoint))

    @contextmanager
    def _tracked(self) -> Iterator[None]:
        """Keep the tracker's run open; close it as finished, killed or failed.

        A training whose state is saved is finished, also when the tracker is away at its end.
        """
        if not self.fabric.is_global_zero:
            yield
            return
        tracker, dump = self.services.tracker, self.fingerprint.parameters
        settings = {key: dump[key] for key in dump if key not in WITHOUT_EFFECT}
        self.state.tracking_id = tracker.start(
            self.fingerprint.model,
            {**settings, "preparation": self.fingerprint.preparation},
            {"data_hash": self.fingerprint.data_hash},
            self.state.tracking_id,
        )
        try:
            yield
        except (TrainingInterruptedError, KeyboardInterrupt):
            self._close("KILLED")
            raise
        except Exception:
            self._close("FAILED")
            raise
        try:
            self._send()
            tracker.finish("FINISHED")
        except TrackingLostError as error:
            logger.warning(
                "%s; the training of %s is finished and saved, but some of its curves were not"
                " sent: the same command with `--params resume=true` trains nothing and sends them",
                error.remedy,
                self.fingerprint.model,
            )

    def _close(self, status: RunStatus) -> None:
        """Close the run of a training that ends early; why it ends matters more than this."""
        try:
            self.services.tracker.finish(status)
        except TrackingLostError as error:
            logger.warning("%s; the run is not closed as %s", error.remedy, status)

    def _steps(self, interruption: Interruption, bar: Bar, pace: Pace) -> None:
        """Take the steps of this epoch that are left."""
        state, per_epoch = self.state, self.batches.steps_per_epoch
        note = ""
        state.set_learning_rate(
            learning_rate_at(self.parameters, state.epoch),
            self.parameters.discriminator_learning_rate_ratio,
        )
        for batch in self.batches.epoch(state.epoch, state.position):
            objective = objective_at(self.parameters, state.step, per_epoch)
            terms = self.steps.take(batch.to(self.fabric.device), objective)
            note = _note(terms) if terms else note
            bar.advance(1, note)
            pace.step_done()
            if state.position < per_epoch:
                self._save_if_due(interruption)

    def _save_if_due(self, interruption: Interruption) -> None:
        stop, due = any_rank(
            (interruption.requested, self.timer.is_due(self.state.step)), self.fabric
        )
        if stop or due:
            self._save()
        if stop:
            self._stop(interruption)

    def _stop_if_asked(self, interruption: Interruption) -> None:
        (stop,) = any_rank((interruption.requested,), self.fabric)
        if stop:
            self._stop(interruption)

    def _stop(self, interruption: Interruption) -> None:
        raise TrainingInterruptedError(
            f"{interruption.signal_name or 'another process'} stopped the training of"
            f" {self.fingerprint.model} after step {self.state.step}; it is saved, go on with"
            " `--params resume=true`"
        )

    def _end_epoch(self) -> None:
        """Add the epoch to the history, validate, save, and only then send it to the tracker."""
        state, parameters = self.state, self.parameters
        self.steps.read()
        row = epoch_row(state, self.fabric)
        state.epoch, state.position, state.running_terms = state.epoch + 1, 0, {}
        state.history.append(row | self._validation())
        keep_best(state, parameters)
        keep_recent(state, parameters.num_recent_averages)
        self._save()
        warn_of_idle_term(row)
        self._publish()

    def _validation(self) -> dict[str, float]:
        validate, epoch = self.services.validate, self.state.epoch
        is_due = epoch % self.parameters.validate_every_epochs == 0
        if validate is None or not (is_due or epoch == self.parameters.num_epochs):
            return {}
        scores: dict[str, float] = {}
        if self.fabric.is_global_zero:
            generators = self.state.averaged_generators
            measured = validate(generators["photo_to_portrait"], generators["portrait_to_photo"])
            scores = {name: float(value) for name, value in measured.items()}
        scores = broadcast(scores, self.fabric)
        return {**scores, "validated": 1.0} if scores else {}

    def _save(self) -> None:
        """Save the state of all processes; only the first one writes."""
        self.steps.read()
        if not all_weights_finite(self.state):
            raise PortraitPipelineError(
                f"a weight of {self.fingerprint.model} is not finite after step {self.state.step};"
                " the last good checkpoint is kept, train anew with a smaller `learning_rate`"
            )
        checkpoint = take_checkpoint(self.state, self.fingerprint, self.fabric)
        if self.fabric.is_global_zero:
            self.services.store.save(checkpoint)
        self.timer.saved()

    def _publish(self) -> None:
        """Tell the tracker what it lacks; a training does not end because it is away."""
        if not self.fabric.is_global_zero:
            return
        try:
            self._send()
        except TrackingLostError as error:
            logger.warning("%s; the training goes on and sends it later", error.remedy)

    def _send(self) -> None:
        every = self.parameters.sample_grid_every_epochs
        publish(self.state, self.services.tracker, self.shown, every)


def _note(terms: Mapping[str, float]) -> str:
    """Say the losses of the last step in a few words."""
    perceptual = terms.get("perceptual_loss")
    return (
        f"· generators {terms['generator_loss']:.2f} discriminators"
        f" {terms['discriminator_loss']:.2f} cycle {terms['cycle_consistency_loss']:.2f}"
        + (f" perceptual {perceptual:.2f}" if perceptual is not None else "")
    )
