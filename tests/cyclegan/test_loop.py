"""Laws of the loop beside its tracker."""

from functools import partial
from typing import Any

import pytest

from portrait_pipeline.cyclegan.loop import TrainingLoop
from portrait_pipeline.cyclegan.train import train_cyclegan
from portrait_pipeline.errors import (
    PortraitPipelineError,
    TrackingLostError,
)

NAMED: dict[str, Any] = {"model_name": "baseline", "preparation": {"margin": 0.35}}


class _KilledError(Exception):
    """Stands for a process that ends without a word."""


def _kill(step: int, state: dict[str, Any]) -> None:
    if state["step"] == step:
        raise _KilledError


class _Away:
    """Makes a tracker's store answer or not."""

    def __init__(self, tracker):
        self.answers = True
        for name in ("log_metrics", "finish"):
            setattr(tracker, name, partial(self._ask, getattr(tracker, name)))

    def _ask(self, call, *given):
        if not self.answers:
            raise TrackingLostError("sqlite:///mlflow.db", "disk I/O error")
        return call(*given)


def test_a_resumed_training_keeps_its_run_and_repeats_no_point(
    data, parameters, services, store, tracker, monkeypatch
):
    """Law: one run of the tracker, every epoch once, also when it was away while epochs ended."""
    settings = parameters(num_epochs=4)
    publish = TrainingLoop._publish
    monkeypatch.setattr(
        TrainingLoop, "_publish", lambda self: publish(self) if self.state.epoch < 2 else None
    )

    store.after_save = partial(_kill, 15)
    with pytest.raises(_KilledError):
        train_cyclegan(data, settings, services, **NAMED)
    assert [epoch for epoch, _ in tracker.rows] == [1]
    monkeypatch.undo()
    store.after_save = None
    resumed = settings.model_copy(update={"resume": True})
    train_cyclegan(data, resumed, services, **NAMED)
    assert [epoch for epoch, _ in tracker.rows] == [1, 2, 3, 4]
    assert [given for _, _, given in tracker.starts] == [None, "run-1"]
    assert tracker.statuses == ["FAILED", "FINISHED"]
    assert "resume" not in tracker.starts[0][1]


def test_a_store_that_is_away_for_a_while_costs_nothing(
    data, parameters, services, store, tracker, caplog
):
    """Law: the training goes on, says what to start, and sends each epoch once it answers."""
    away = _Away(tracker)

    def until_the_third_epoch(state: dict[str, Any]) -> None:
        away.answers = state["epoch"] >= 3

    store.after_save = until_the_third_epoch
    train_cyclegan(data, parameters(), services, **NAMED)
    assert [epoch for epoch, _ in tracker.rows] == [1, 2, 3]
    assert tracker.statuses == ["FINISHED"]
    assert caplog.text.count("start it, or free space on its disk; the training goes on") == 2


def test_a_store_that_stays_away_ends_no_training(
    data, parameters, services, store, tracker, caplog
):
    """Law: the training is finished and says what sends its curves; resumed, all of it is sent."""
    away, settings = _Away(tracker), parameters(num_epochs=2)
    away.answers = False
    finished = train_cyclegan(data, settings, services, **NAMED)
    assert "baseline is finished and saved" in caplog.text
    assert "resume=true` trains nothing and sends them" in caplog.text
    assert (tracker.rows, tracker.statuses) == ([], [])
    saved, away.answers = len(store.states), True
    resumed = train_cyclegan(data, settings.model_copy(update={"resume": True}), services, **NAMED)
    assert (finished["epoch"], resumed["epoch"], len(store.states)) == (2, 2, saved)
    assert [epoch for epoch, _ in tracker.rows] == [1, 2]
    assert tracker.statuses == ["FINISHED"]


@pytest.mark.parametrize("call", ["log_metrics", "log_image", "last_step", "finish"])
def test_no_call_that_fails_at_the_end_ends_a_training(
    data, parameters, services, tracker, monkeypatch, caplog, call
):
    """Law: whichever call the store stops to answer, the trained model is returned."""

    def fail(*_: object) -> None:
        raise TrackingLostError("sqlite:///mlflow.db", "disk I/O error")

    monkeypatch.setattr(tracker, call, fail)
    trained = train_cyclegan(data, parameters(num_epochs=1), services, **NAMED)
    assert trained["epoch"] == 1
    assert "baseline is finished and saved" in caplog.text


def test_why_a_training_ends_matters_more_than_its_closing(
    data, parameters, services, store, tracker, caplog
):
    """Law: a full disk, with the tracker's store on it too, is told as a full disk."""
    away = _Away(tracker)

    def disk_is_full(state: dict[str, Any]) -> None:
        away.answers = False
        raise PortraitPipelineError("could not write: free space")

    store.after_save = disk_is_full
    with pytest.raises(PortraitPipelineError, match="free space"):
        train_cyclegan(data, parameters(), services, **NAMED)
    assert "not closed as FAILED" in caplog.text
