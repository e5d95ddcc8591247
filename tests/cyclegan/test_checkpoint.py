"""Laws of resuming a training."""

from functools import partial
from typing import Any

import pytest
import torch
from support.checkpoints import differing

from portrait_pipeline.cyclegan.data import TrainingData
from portrait_pipeline.cyclegan.train import train_cyclegan
from portrait_pipeline.errors import (
    PortraitPipelineError,
)

NAMED: dict[str, Any] = {"model_name": "baseline", "preparation": {"margin": 0.35}}


class _KilledError(Exception):
    """Stands for a process that ends without a word."""


def _kill(step: int, state: dict[str, Any]) -> None:
    if state["step"] == step:
        raise _KilledError


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
        assert set(differing(whole, resumed)) <= {"/tracking_id", "/parameters/resume"}
        assert tracker.rows == points


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
    with pytest.raises(PortraitPipelineError, match="format 99, expected 2"):
        train_cyclegan(data, parameters(num_epochs=1, resume=True), services, **NAMED)
