"""The checkpoints that a training keeps beside its last: the best one, and the most recent ones."""

from typing import Literal

from portrait_pipeline.cyclegan.services import Checkpoint
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


def perceptual_weight(checkpoint: Checkpoint) -> dict[str, float | None]:
    """Read how much the perceptual term counted in the checkpoint's epoch.

    Returns:
        `lambda_perceptual`: the fixed λ_p, or, where a share was kept, the mean of what it came to;
        `perceptual_gradient_share`: the mean share of the gradient at the generators' output, None
        for a model without the term.
    """
    settings = checkpoint["parameters"]
    by_epoch = {row["epoch"]: row for row in checkpoint["history"]}
    row = by_epoch.get(checkpoint["epoch"], {})
    is_fixed = settings.get("perceptual_gradient_share") is None
    return {
        "lambda_perceptual": (settings if is_fixed else row)["lambda_perceptual"],
        "perceptual_gradient_share": row.get("perceptual_gradient_share"),
    }


def _at(checkpoint: Checkpoint, kept: Checkpoint) -> Checkpoint:
    rest = {key: value for key, value in checkpoint.items() if key != "networks"}
    generators = {"averaged_generators": kept["averaged_generators"]}
    return {**rest, "epoch": kept["epoch"], **generators}
