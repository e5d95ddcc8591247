"""The checkpoints that a training keeps beside its last: the best one, and the most recent ones."""

from typing import Literal

from portrait_pipeline.cyclegan.ports import Checkpoint
from portrait_pipeline.errors import PortraitPipelineError


def choose_checkpoint(checkpoint: Checkpoint, which: Literal["last", "best"]) -> Checkpoint:
    """Take a training's last averaged generators, or those of the epoch that validated best.

    Returns:
        A checkpoint whose `epoch` and `averaged_generators` are those of the choice; with `best`
        it holds no `networks`, which are only kept of the last step.

    Raises:
        PortraitPipelineError: if no best epoch was kept.
    """
    if which == "last":
        return checkpoint
    best = checkpoint.get("best")
    if best is None:
        raise PortraitPipelineError(
            f"the checkpoint of {checkpoint['model']} keeps no best epoch, expected one trained"
            " with a `training.selection_metric`; take the last one with"
            " `--params evaluation.checkpoint=last`"
        )
    return _at(checkpoint, best)


def recent_checkpoints(checkpoint: Checkpoint) -> list[Checkpoint]:
    """List the averaged generators of the last epochs, oldest first; empty where none were kept."""
    return [_at(checkpoint, kept) for kept in checkpoint.get("recent", [])]


def _at(checkpoint: Checkpoint, kept: Checkpoint) -> Checkpoint:
    rest = {key: value for key, value in checkpoint.items() if key != "networks"}
    generators = {"averaged_generators": kept["averaged_generators"]}
    return {**rest, "epoch": kept["epoch"], **generators}
