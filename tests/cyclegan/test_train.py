"""Laws of a whole training."""

from functools import partial
from typing import Any

import pytest
from support.checkpoints import differing
from support.tiny_model import EVERY_INGREDIENT, PROJECTED

from portrait_pipeline.cyclegan.data import TrainingData
from portrait_pipeline.cyclegan.train import train_cyclegan
from portrait_pipeline.errors import (
    PortraitPipelineError,
    TrainingDivergedError,
)
from portrait_pipeline.images import FaceSet

NAMED: dict[str, Any] = {"model_name": "baseline", "preparation": {"margin": 0.35}}


def test_two_trainings_with_one_seed_are_bit_identical(data, parameters, services, two_threads):
    """Law: the seed decides everything, also with the two cycles in two threads."""
    settings = parameters(num_epochs=1)
    first = train_cyclegan(data, settings, services, **NAMED)
    second = train_cyclegan(data, settings, services, **NAMED)
    assert differing(first, second) == ["/tracking_id"]
    assert first["step"] == 5
    assert [row["epoch"] for row in first["history"]] == [1]
    other = train_cyclegan(data, parameters(num_epochs=1, seed=4), services, **NAMED)
    assert "/networks/photo_to_portrait/layers.1.weight" in differing(first, other)


def test_discriminators_may_learn_at_a_rate_of_their_own(data, parameters, services):
    """Law: theirs is the multiple that is asked for, of the schedule's rate at every epoch."""
    settings = parameters(num_epochs=2, num_decay_epochs=1, discriminator_learning_rate_ratio=4.0)
    optimizers = train_cyclegan(data, settings, services, **NAMED)["optimizers"]
    rates = {name: state["param_groups"][0]["lr"] for name, state in optimizers.items()}
    assert rates == {
        "generators": pytest.approx(0.5 * settings.learning_rate),
        "discriminators": pytest.approx(2.0 * settings.learning_rate),
    }


@pytest.mark.parametrize(("killed_after", "changes"), [(3, EVERY_INGREDIENT), (7, PROJECTED)])
def test_everything_on_is_resumed_bit_for_bit(
    data, parameters, services, store, teacher, killed_after, changes
):
    """Law: with all ingredients an interrupted training ends as one that nobody disturbed."""
    settings = parameters(num_epochs=2, save_every_steps=1, lambda_perceptual=1.0, **changes)
    train = partial(train_cyclegan, services=services, embedder=teacher, **NAMED)
    whole = train(data, settings)

    class _KilledError(Exception):
        pass

    def kill(state: dict[str, Any]) -> None:
        if state["step"] == killed_after:
            raise _KilledError

    store.after_save = kill
    with pytest.raises(_KilledError):
        train(data, settings)
    store.after_save = None
    resumed = train(data, settings.model_copy(update={"resume": True}))
    assert set(differing(whole, resumed)) == {"/tracking_id", "/parameters/resume"}


def test_a_finished_training_is_not_trained_again(data, parameters, services, store, tracker):
    """Law: resuming what is finished returns it."""
    whole = train_cyclegan(data, parameters(num_epochs=1), services, **NAMED)
    again = train_cyclegan(data, parameters(num_epochs=1, resume=True), services, **NAMED)
    assert differing(whole, again) == ["/parameters/resume"]
    assert len(tracker.rows) == 1
    assert len(store.states) == 1


def test_nothing_to_resume_begins_anew(data, parameters, services, tracker):
    """Law: a training killed before its first save starts again when it is resumed."""
    fresh = train_cyclegan(data, parameters(num_epochs=1), services, **NAMED)
    services.store.clear()
    resumed = train_cyclegan(data, parameters(num_epochs=1, resume=True), services, **NAMED)
    assert set(differing(fresh, resumed)) == {"/tracking_id", "/parameters/resume"}


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


def test_a_perceptual_training_needs_a_teacher(data, parameters, services):
    """Law: λ_p > 0 without a face network is refused."""
    with pytest.raises(
        PortraitPipelineError, match="lambda_perceptual is 5, which needs a teacher"
    ):
        train_cyclegan(data, parameters(lambda_perceptual=5.0), services, **NAMED)


def test_sets_that_do_not_fit_are_refused_first(parameters, services, faces, tracker):
    """Law: bad data cost no time and open no run."""
    unfit = TrainingData(FaceSet((), faces(1, 1).pixels[:0]), faces(1, 1))
    with pytest.raises(PortraitPipelineError, match="no photo crops"):
        train_cyclegan(unfit, parameters(), services, **NAMED)
    assert tracker.starts == []
