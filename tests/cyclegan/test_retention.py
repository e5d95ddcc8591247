"""What a training saves and keeps beside its last checkpoint."""

from dataclasses import replace
from typing import Any

import pytest
from support.checkpoints import differing
from support.tiny_model import tiny_checkpoint

from portrait_pipeline.cyclegan.retention import (
    choose_checkpoint,
    perceptual_weight,
    recent_checkpoints,
)
from portrait_pipeline.cyclegan.train import train_cyclegan
from portrait_pipeline.cyclegan.translate import load_generator
from portrait_pipeline.errors import (
    PortraitPipelineError,
)

NAMED: dict[str, Any] = {"model_name": "baseline", "preparation": {"margin": 0.35}}


LAST = tiny_checkpoint(seed=0)


BEST = {"value": 0.9, "epoch": 7, "averaged_generators": tiny_checkpoint(seed=1)["networks"]}


def test_the_last_is_the_checkpoint_itself() -> None:
    """Nothing is changed."""
    assert choose_checkpoint(LAST, "last") is LAST


def test_the_best_is_loaded_in_place_of_the_last() -> None:
    """Weights and epoch are those of the epoch that was kept."""
    chosen = choose_checkpoint({**LAST, "best": BEST}, "best")
    loaded = load_generator(chosen, "photo_to_portrait").state_dict()
    kept = BEST["averaged_generators"]["photo_to_portrait"]
    assert chosen["epoch"] == 7
    assert all((loaded[name] == kept[name]).all() for name in kept)


def test_a_training_that_kept_none_is_refused() -> None:
    """One sentence that names the model and both ways out."""
    with pytest.raises(PortraitPipelineError, match=r"proposed keeps no best epoch.*=last"):
        choose_checkpoint({**LAST, "best": None}, "best")


def test_recent_ones_come_oldest_first() -> None:
    """One for each that was kept; none where the checkpoint has none."""
    kept = [{**BEST, "epoch": epoch} for epoch in (5, 6)]
    assert [each["epoch"] for each in recent_checkpoints({**LAST, "recent": kept})] == [5, 6]
    assert recent_checkpoints(LAST) == []


HISTORY = [
    {"epoch": epoch, "lambda_perceptual": 0.1 * epoch, "perceptual_gradient_share": 0.02 * epoch}
    for epoch in (1, 2)
]


def test_a_fixed_weight_is_that_of_the_settings() -> None:
    """Also while it warms up; its share is that of the checkpoint's epoch."""
    checkpoint = tiny_checkpoint(lambda_perceptual=5.0) | {"epoch": 2, "history": HISTORY}
    expected = {"lambda_perceptual": 5.0, "perceptual_gradient_share": 0.04}
    assert perceptual_weight(checkpoint) == expected


def test_where_a_share_was_kept_the_weight_is_what_it_came_to() -> None:
    """Not the λ_p of the settings, which did not count."""
    settings = {"lambda_perceptual": 5.0, "perceptual_gradient_share": 0.02}
    checkpoint = tiny_checkpoint(**settings) | {"epoch": 1, "history": HISTORY}
    expected = {"lambda_perceptual": 0.1, "perceptual_gradient_share": 0.02}
    assert perceptual_weight(checkpoint) == expected


def test_the_baseline_has_weight_zero_and_no_share() -> None:
    """Its history has neither."""
    expected = {"lambda_perceptual": 0.0, "perceptual_gradient_share": None}
    assert perceptual_weight(tiny_checkpoint("baseline")) == expected


def test_minutes_save_too(data, parameters, services, store):
    """Law: after so many minutes a state is saved, counted from the last one."""
    times = iter(range(0, 100_000, 60))
    timed = replace(services, clock=lambda: float(next(times)))
    settings = parameters(num_epochs=1, save_every_minutes=2.5)
    train_cyclegan(data, settings, timed, **NAMED)
    steps = [state["step"] for state in store.states]
    assert steps[-1] == 5
    assert 1 < len(steps) < 5


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
    assert differing(kept["averaged_generators"], best["averaged_generators"]) == []
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


def test_weights_that_are_not_finite_are_not_saved(data, parameters, services, store, monkeypatch):
    """Law: a broken state never takes the place of a good one."""
    monkeypatch.setattr("portrait_pipeline.cyclegan.loop.all_weights_finite", lambda _state: False)
    with pytest.raises(PortraitPipelineError, match="is not finite after step 5"):
        train_cyclegan(data, parameters(num_epochs=1), services, **NAMED)
    assert store.states == []
