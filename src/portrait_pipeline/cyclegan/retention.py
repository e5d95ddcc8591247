"""What a training keeps: when it saves, which epochs stay beside the last, and how to choose."""

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

from portrait_pipeline.cyclegan.services import Checkpoint
from portrait_pipeline.cyclegan.state import TrainingState
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.parameters import TrainingParameters


class SaveTimer:
    """Says after which steps to save: every `every_steps` and after `every_minutes`.

    Args:
        every_steps: Steps between two saves.
        every_minutes: Minutes after which to save at the latest.
        clock: Seconds that only go forward.
    """

    def __init__(self, every_steps: int, every_minutes: float, clock: Callable[[], float]) -> None:
        self._every_steps, self._every_seconds = every_steps, 60.0 * every_minutes
        self._clock = clock
        self._last = clock()

    def is_due(self, step: int) -> bool:
        """Whether to save after `step` steps."""
        return step % self._every_steps == 0 or self._clock() - self._last >= self._every_seconds

    def saved(self) -> None:
        """Start the minutes anew."""
        self._last = self._clock()


def all_weights_finite(state: TrainingState) -> bool:
    """Whether no weight of the four networks is NaN or infinite."""
    weights = [
        *state.networks.generator_parameters(),
        *state.networks.discriminator_parameters(),
    ]
    return bool(torch.stack([weight.detach().isfinite().all() for weight in weights]).all())


def keep_best(state: TrainingState, parameters: TrainingParameters) -> None:
    """Keep the averaged generators of the last epoch if its validation is the best so far.

    Raises:
        PortraitPipelineError: if the validation does not measure `selection_metric`.
    """
    metric, row = parameters.selection_metric, state.history[-1]
    if metric is None or not row.get("validated", 0.0):
        return
    if metric not in row:
        raise PortraitPipelineError(
            f"selection_metric is {metric!r}, which the validation does not measure, expected one"
            f" of {', '.join(name for name in row if name.startswith('validation'))}"
        )
    sign = 1.0 if parameters.selection_mode == "max" else -1.0
    if state.best is None or sign * row[metric] > sign * state.best["value"]:
        state.best = {"value": row[metric], **_averages(state)}


def keep_recent(state: TrainingState, num_kept: int) -> None:
    """Keep the averaged generators of the last `num_kept` epochs, to measure a spread by."""
    if num_kept:
        state.recent = [*state.recent, _averages(state)][-num_kept:]


def should_stop(state: TrainingState, parameters: TrainingParameters) -> bool:
    """Whether the last `early_stop_patience` validations brought nothing better."""
    patience = parameters.early_stop_patience
    if patience is None or state.best is None:
        return False
    best_epoch = state.best["epoch"]
    since = [row for row in state.history if row.get("validated") and row["epoch"] > best_epoch]
    return len(since) >= patience


def _averages(state: TrainingState) -> dict[str, Any]:
    def copied(weights: dict[str, Tensor]) -> dict[str, Tensor]:
        return {key: weight.detach().cpu().clone() for key, weight in weights.items()}

    generators = state.averaged_generators
    return {
        "epoch": state.epoch,
        "averaged_generators": {key: copied(net.state_dict()) for key, net in generators.items()},
    }


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
