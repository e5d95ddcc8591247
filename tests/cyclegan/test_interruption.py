"""Laws of a training that is asked to stop."""

import signal
import threading
from typing import Any

import pytest
from support.checkpoints import differing

from portrait_pipeline.cyclegan.interruption import Interruption, listen_for_interruption
from portrait_pipeline.cyclegan.train import train_cyclegan
from portrait_pipeline.errors import (
    TrainingInterruptedError,
)

NAMED: dict[str, Any] = {"model_name": "baseline", "preparation": {"margin": 0.35}}


def test_a_second_interrupt_does_not_wait():
    """Law: Ctrl-C twice is a KeyboardInterrupt."""
    interruption = Interruption()
    interruption.request(signal.SIGTERM, None)
    assert interruption.signal_name == "SIGTERM"
    with pytest.raises(KeyboardInterrupt):
        interruption.request(signal.SIGINT, None)


def test_outside_the_main_thread_no_handler_is_set():
    """Law: a training in a thread of a web server leaves the signals alone."""
    seen = []

    def listen() -> None:
        with listen_for_interruption() as interruption:
            seen.append(interruption.requested)

    worker = threading.Thread(target=listen)
    worker.start()
    worker.join()
    assert seen == [False]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_finishes_the_step_saves_and_stops(
    data, parameters, services, store, tracker, number
):
    """Law: SIGTERM, Ctrl-C and SIGHUP leave a saved state, a run closed as KILLED, and an error."""
    settings, handler = parameters(save_every_steps=2), signal.getsignal(number)
    whole = train_cyclegan(data, settings, services, **NAMED)

    def interrupt(state: dict[str, Any]) -> None:
        if state["step"] == 6:
            signal.raise_signal(number)

    store.after_save = interrupt
    with pytest.raises(TrainingInterruptedError, match=r"after step 7; it is saved.*resume=true"):
        train_cyclegan(data, settings, services, **NAMED)
    assert store.states[-1]["step"] == 7
    assert tracker.statuses[-1] == "KILLED"
    assert signal.getsignal(number) is handler
    store.after_save = None
    resumed = train_cyclegan(data, settings.model_copy(update={"resume": True}), services, **NAMED)
    assert set(differing(whole, resumed)) == {"/tracking_id", "/parameters/resume"}


def test_a_signal_in_the_last_epoch_is_not_lost(data, parameters, services, store):
    """Law: asked to stop when all steps are taken, the run stops; resumed, it has only to end."""
    settings = parameters(num_epochs=1)
    whole = train_cyclegan(data, settings, services, **NAMED)
    store.after_save = lambda _state: signal.raise_signal(signal.SIGTERM)
    with pytest.raises(TrainingInterruptedError, match="SIGTERM"):
        train_cyclegan(data, settings, services, **NAMED)
    store.after_save = None
    resumed = train_cyclegan(data, settings.model_copy(update={"resume": True}), services, **NAMED)
    assert set(differing(whole, resumed)) == {"/tracking_id", "/parameters/resume"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_is_ignored_stays_ignored(number):
    """Law: as SIGHUP under nohup: what is ignored before the training does not stop it."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with listen_for_interruption() as interruption:
            signal.raise_signal(number)
            assert not interruption.requested
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)
