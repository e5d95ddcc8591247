"""What a training keeps beside its last checkpoint."""

import pytest
from support.tiny_model import tiny_checkpoint

from portrait_pipeline.cyclegan.kept import (
    choose_checkpoint,
    perceptual_weight,
    recent_checkpoints,
)
from portrait_pipeline.cyclegan.translate import load_generator
from portrait_pipeline.errors import PortraitPipelineError

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
