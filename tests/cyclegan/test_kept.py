"""What a training keeps beside its last checkpoint."""

import pytest
from support.tiny_model import tiny_checkpoint

from portrait_pipeline.cyclegan.kept import choose_checkpoint, recent_checkpoints
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
