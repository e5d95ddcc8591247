"""Laws of a whole training."""

import logging
import signal
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch

from portrait_pipeline.cyclegan.data import TrainingData
from portrait_pipeline.cyclegan.train import train_cyclegan
from portrait_pipeline.cyclegan.training_loop import TrainingLoop
from portrait_pipeline.cyclegan.translate import load_generator, translate
from portrait_pipeline.errors import (
    PortraitPipelineError,
    TrackingLostError,
    TrainingDivergedError,
    TrainingInterruptedError,
)
from portrait_pipeline.images import FaceSet

NAMED: dict[str, Any] = {"model_name": "baseline", "preparation": {"margin": 0.35}}


class _KilledError(Exception):
    """Stands for a process that ends without a word."""


def _differing(one: Any, other: Any, path: str = "") -> list[str]:
    """Name every place where two checkpoints are not the same, bit for bit."""
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) else [path]
    if isinstance(one, dict):
        keys = {**one, **other}
        parts = [_differing(one.get(key), other.get(key), f"{path}/{key}") for key in keys]
    elif isinstance(one, list) and len(one) == len(other):
        parts = [
            _differing(a, b, f"{path}/{i}") for i, (a, b) in enumerate(zip(one, other, strict=True))
        ]
    else:
        return [] if one == other else [path]
    return [place for part in parts for place in part]


def test_two_trainings_with_one_seed_are_bit_identical(data, parameters, services, two_threads):
    """Law: the seed decides everything, also with the two cycles in two threads."""
    settings = parameters(num_epochs=1)
    first = train_cyclegan(data, settings, services, **NAMED)
    second = train_cyclegan(data, settings, services, **NAMED)
    assert _differing(first, second) == ["/tracking_id"]
    assert first["step"] == 5
    assert [row["epoch"] for row in first["history"]] == [1]
    other = train_cyclegan(data, parameters(num_epochs=1, seed=4), services, **NAMED)
    assert "/networks/photo_to_portrait/layers.1.weight" in _differing(first, other)


@pytest.mark.parametrize("perceptual", [False, True])
def test_a_killed_training_goes_on_bit_for_bit(data, parameters, services, teacher, perceptual):
    """Law: killed at any step and resumed, the checkpoint is that of an uninterrupted training.

    After the first step, inside the second epoch, and at the end of the first, when it was saved
    and nothing was published yet.
    """
    changes = {"lambda_perceptual": 2.0, "perceptual_warmup_epochs": 2} if perceptual else {}
    changes |= {"save_every_steps": 1, "num_recent_averages": 2, "num_decay_epochs": 1}
    settings, store, tracker = parameters(num_epochs=2, **changes), services.store, services.tracker
    given = NAMED | {"embedder": teacher if perceptual else None}
    whole = train_cyclegan(data, settings, services, **given)
    points = list(tracker.rows)
    for killed_after in (1, 5, 7):
        tracker.rows.clear()
        store.after_save = partial(_kill, killed_after)
        with pytest.raises(_KilledError):
            train_cyclegan(data, settings, services, **given)
        store.after_save = None
        torch.rand(3)  # what happened elsewhere in between does not matter
        again = settings.model_copy(update={"resume": True})
        resumed = train_cyclegan(data, again, services, **given)
        assert set(_differing(whole, resumed)) <= {"/tracking_id", "/parameters/resume"}
        assert tracker.rows == points


def _kill(step: int, state: dict[str, Any]) -> None:
    if state["step"] == step:
        raise _KilledError


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


def test_a_finished_training_is_not_trained_again(data, parameters, services, store, tracker):
    """Law: resuming what is finished returns it."""
    whole = train_cyclegan(data, parameters(num_epochs=1), services, **NAMED)
    again = train_cyclegan(data, parameters(num_epochs=1, resume=True), services, **NAMED)
    assert _differing(whole, again) == ["/parameters/resume"]
    assert len(tracker.rows) == 1
    assert len(store.states) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_the_step_saves_and_stops(
    data, parameters, services, store, tracker, number
):
    """Law: SIGTERM and Ctrl-C leave a saved state, a run closed as KILLED, and an error."""
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
    assert set(_differing(whole, resumed)) == {"/tracking_id", "/parameters/resume"}


def test_a_signal_in_the_last_epoch_is_not_lost(data, parameters, services, store):
    """Law: asked to stop when all steps are taken, the run stops; resumed, it has only to end."""
    settings = parameters(num_epochs=1)
    whole = train_cyclegan(data, settings, services, **NAMED)
    store.after_save = lambda _state: signal.raise_signal(signal.SIGTERM)
    with pytest.raises(TrainingInterruptedError, match="SIGTERM"):
        train_cyclegan(data, settings, services, **NAMED)
    store.after_save = None
    resumed = train_cyclegan(data, settings.model_copy(update={"resume": True}), services, **NAMED)
    assert set(_differing(whole, resumed)) == {"/tracking_id", "/parameters/resume"}


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


def test_a_store_that_stays_away_loses_no_training(data, parameters, services, store, tracker):
    """Law: the training ends with what to start; resumed, nothing is trained and all is sent."""
    away, settings = _Away(tracker), parameters(num_epochs=2)
    away.answers = False
    with pytest.raises(TrackingLostError, match=r"start it.*resume=true"):
        train_cyclegan(data, settings, services, **NAMED)
    saved, away.answers = len(store.states), True
    resumed = train_cyclegan(data, settings.model_copy(update={"resume": True}), services, **NAMED)
    assert (resumed["epoch"], len(store.states)) == (2, saved)
    assert [epoch for epoch, _ in tracker.rows] == [1, 2]
    assert tracker.statuses == ["FINISHED"]


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


def test_nothing_to_resume_begins_anew(data, parameters, services, tracker):
    """Law: a training killed before its first save starts again when it is resumed."""
    fresh = train_cyclegan(data, parameters(num_epochs=1), services, **NAMED)
    services.store.clear()
    resumed = train_cyclegan(data, parameters(num_epochs=1, resume=True), services, **NAMED)
    assert set(_differing(fresh, resumed)) == {"/tracking_id", "/parameters/resume"}


def test_minutes_save_too(data, parameters, services, store):
    """Law: after so many minutes a state is saved, counted from the last one."""
    times = iter(range(0, 100_000, 60))
    timed = replace(services, clock=lambda: float(next(times)))
    settings = parameters(num_epochs=1, save_every_minutes=2.5)
    train_cyclegan(data, settings, timed, **NAMED)
    steps = [state["step"] for state in store.states]
    assert steps[-1] == 5
    assert 1 < len(steps) < 5


def test_a_training_that_diverges_keeps_the_last_good_state(
    data, parameters, services, store, tracker
):
    """Law: it stops at once, names the term, and what was saved before is finite."""
    settings = parameters(learning_rate=1e30, save_every_steps=1, num_epochs=1)

    def poison(state: dict[str, Any]) -> None:
        state["networks"]["photo_to_portrait"]["layers.1.weight"].fill_(float("nan"))

    store.after_save = poison
    with pytest.raises(TrainingDivergedError, match="adversarial_loss_photo is nan at step 1"):
        train_cyclegan(data, settings, services, **NAMED)
    assert tracker.statuses == ["FAILED"]
    saved = store.states[-1]["networks"]["photo_to_portrait"]
    assert store.states[-1]["step"] == 1
    assert all(weight.isfinite().all() for weight in saved.values())


def test_weights_that_are_not_finite_are_not_saved(data, parameters, services, store, monkeypatch):
    """Law: a broken state never takes the place of a good one."""
    monkeypatch.setattr(
        "portrait_pipeline.cyclegan.training_loop.all_weights_finite", lambda _state: False
    )
    with pytest.raises(PortraitPipelineError, match="is not finite after step 5"):
        train_cyclegan(data, parameters(num_epochs=1), services, **NAMED)
    assert store.states == []


def test_what_differs_is_listed_when_resuming(data, parameters, services, faces):
    """Law: other parameters, other data, another preparation: all are named, nothing is trained."""
    train_cyclegan(data, parameters(num_epochs=1), services, **NAMED)
    others = TrainingData(faces(5, 9), data.paintings)
    changed = parameters(num_epochs=2, learning_rate=0.1, resume=True, save_every_steps=7)
    given = NAMED | {"preparation": {"margin": 0.5}}
    with pytest.raises(PortraitPipelineError) as caught:
        train_cyclegan(others, changed, services, **given)
    message = str(caught.value)
    for part in ("num_epochs 1 → 2", "learning_rate 0.0002 → 0.1", "preparation.margin 0.35 → 0.5"):
        assert part in message
    assert "data_hash" in message
    assert "save_every_steps" not in message


def test_a_state_of_another_format_is_refused(data, parameters, services, store):
    """Law: a checkpoint of a future version is not guessed at."""
    train_cyclegan(data, parameters(num_epochs=1), services, **NAMED)
    store.states[-1]["format"] = 99
    with pytest.raises(PortraitPipelineError, match="format 99, expected 1"):
        train_cyclegan(data, parameters(num_epochs=1, resume=True), services, **NAMED)


def test_without_a_gpu_it_estimates_and_stops(data, parameters, services, tracker):
    """Law: the estimate, `allow_cpu=true` and `--env=sample` are named before any work."""
    with pytest.raises(PortraitPipelineError, match=r"about .* on this CPU.*--env=sample.*allow_c"):
        train_cyclegan(data, parameters(allow_cpu=False), services, **NAMED)
    assert tracker.starts == []


def test_it_says_how_long_it_takes(data, parameters, services, caplog):
    """Law: one line with steps, seconds per step, time to the end and memory."""
    with caplog.at_level(logging.INFO, logger="portrait_pipeline"):
        train_cyclegan(data, parameters(), services, **NAMED)
    lines = [record.getMessage() for record in caplog.records if "to go" in record.getMessage()]
    assert len(lines) == 1
    assert "baseline: 15 steps of" in lines[0]
    assert "MB of memory" in lines[0]


def test_a_perceptual_training_needs_a_teacher(data, parameters, services):
    """Law: λ_p > 0 without a face network is refused."""
    with pytest.raises(
        PortraitPipelineError, match="lambda_perceptual is 5, which needs a teacher"
    ):
        train_cyclegan(data, parameters(lambda_perceptual=5.0), services, **NAMED)


def test_a_term_that_does_nothing_is_warned_of(data, parameters, services, teacher, caplog):
    """Law: below 1 % of the gradient a warning names the share and λ_p."""
    settings = parameters(lambda_perceptual=1e-6, num_epochs=1)
    train_cyclegan(data, settings, services, embedder=teacher, **NAMED)
    assert "the perceptual term has" in caplog.text
    caplog.clear()
    settings = parameters(perceptual_gradient_share=0.2, num_epochs=1)
    checkpoint = train_cyclegan(data, settings, services, embedder=teacher, **NAMED)
    assert "the perceptual term has" not in caplog.text
    row = checkpoint["history"][0]
    assert row["perceptual_gradient_share"] == pytest.approx(0.2, rel=1e-3)
    assert row["lambda_perceptual"] > 0.0


def test_pictures_and_curves_are_tracked(data, parameters, services, tracker):
    """Law: a row per epoch, a grid every few epochs, the settings once."""
    settings = parameters(num_epochs=4, sample_grid_every_epochs=2)
    train_cyclegan(data, settings, services, **NAMED)
    assert [epoch for epoch, _ in tracker.rows] == [1, 2, 3, 4]
    assert tracker.images == [("sample_grid", e, (5 * 32, 3 * 32, 3)) for e in (2, 4)]
    wanted = {"cycle_consistency_loss", "weighted_cycle_consistency_loss", "discriminator_loss"}
    assert wanted <= tracker.rows[0][1].keys()
    assert tracker.starts[0][1]["num_epochs"] == 4
    assert tracker.statuses == ["FINISHED"]


def test_the_best_epoch_is_kept_and_a_stale_one_stops(data, parameters, services):
    """Law: validation every epoch; the best is kept; two without progress end the training."""
    scores = iter([0.3, 0.5, 0.4, 0.5, 0.9, 0.9])
    calls = []

    def validate(photo_to_portrait, portrait_to_photo):
        assert not photo_to_portrait.training
        calls.append(1)
        return {"validation_ssim": next(scores)}

    settings = parameters(
        num_epochs=6,
        selection_metric="validation_ssim",
        early_stop_patience=2,
        num_recent_averages=3,
    )
    checkpoint = train_cyclegan(data, settings, replace(services, validate=validate), **NAMED)
    assert len(calls) == checkpoint["epoch"] == 4
    assert (checkpoint["best"]["epoch"], checkpoint["best"]["value"]) == (2, 0.5)
    assert [part["epoch"] for part in checkpoint["recent"]] == [2, 3, 4]
    kept, best = checkpoint["recent"][0], checkpoint["best"]
    assert _differing(kept["averaged_generators"], best["averaged_generators"]) == []
    assert checkpoint["history"][2]["validation_ssim"] == 0.4


def test_a_metric_that_is_not_measured_is_refused(data, parameters, services):
    """Law: a mistyped selection metric is named with those that there are."""
    settings = parameters(selection_metric="ssim")
    measured = replace(services, validate=lambda *_generators: {"validation_ssim": 0.5})
    with pytest.raises(PortraitPipelineError, match=r"'ssim'.*expected one of validation_ssim"):
        train_cyclegan(data, settings, measured, **NAMED)


def test_without_validation_pictures_no_epoch_counts_as_validated(data, parameters, services):
    """Law: a validation that scores nothing leaves no best epoch and stops nothing early."""
    settings = parameters(num_epochs=2, selection_metric="validation_ssim", early_stop_patience=1)
    unseen = replace(services, validate=lambda *_generators: {})
    checkpoint = train_cyclegan(data, settings, unseen, **NAMED)
    assert checkpoint["epoch"] == settings.num_epochs
    assert checkpoint["best"] is None
    assert not any(name.startswith("validat") for row in checkpoint["history"] for name in row)


def test_a_trained_model_translates(data, parameters, services, tmp_path):
    """Law: the checkpoint loads with `weights_only` and its generators translate uint8 to uint8."""
    torch.save(train_cyclegan(data, parameters(num_epochs=1), services, **NAMED), tmp_path / "a.pt")
    checkpoint = torch.load(tmp_path / "a.pt", weights_only=True)
    generator = load_generator(checkpoint, "photo_to_portrait")
    assert not generator.training
    assert not any(weight.requires_grad for weight in generator.parameters())
    paintings = translate(generator, data.photos.pixels, 2)
    assert paintings.shape == data.photos.pixels.shape
    assert paintings.dtype == data.photos.pixels.dtype
    last = load_generator(checkpoint, "photo_to_portrait", averaged=False)
    assert (translate(last, data.photos.pixels, 2) != paintings).any()
    assert len(translate(generator, data.photos.pixels[:0], 2)) == 0


def test_a_checkpoint_of_another_architecture_is_refused(data, parameters, services):
    """Law: one sentence says what was expected and how to fix it."""
    checkpoint = train_cyclegan(data, parameters(num_epochs=1), services, **NAMED)
    wider = checkpoint["parameters"] | {"num_generator_filters": 8}
    with pytest.raises(PortraitPipelineError, match=r"is of another architecture.*8 filters"):
        load_generator(checkpoint | {"parameters": wider}, "portrait_to_photo")
    with pytest.raises(PortraitPipelineError, match=r"no usable averaged_generators"):
        load_generator({"parameters": checkpoint["parameters"]}, "portrait_to_photo")


def test_sets_that_do_not_fit_are_refused_first(parameters, services, faces, tracker):
    """Law: bad data cost no time and open no run."""
    unfit = TrainingData(FaceSet((), faces(1, 1).pixels[:0]), faces(1, 1))
    with pytest.raises(PortraitPipelineError, match="no photo crops"):
        train_cyclegan(unfit, parameters(), services, **NAMED)
    assert tracker.starts == []
