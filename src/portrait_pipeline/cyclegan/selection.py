"""Which epochs' averaged generators are kept beside the last, and when to stop early."""

from typing import Any

from torch import Tensor

from portrait_pipeline.cyclegan.state import TrainingState
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.parameters import TrainingParameters


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
    """Keep the averaged generators of the last `num_kept` epochs, to judge a spread by."""
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
