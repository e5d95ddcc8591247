"""What a training tells about itself: a row per epoch, a grid of pictures, a warning."""

import logging
from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import UInt8
from lightning_fabric import Fabric

from portrait_pipeline.cyclegan.distributed import reduce
from portrait_pipeline.cyclegan.services import RunTracker
from portrait_pipeline.cyclegan.state import TrainingState
from portrait_pipeline.cyclegan.translate import translate

NEGLIGIBLE_SHARE = 0.01
MARKER = "generator_loss"

logger = logging.getLogger(__name__)


def epoch_row(state: TrainingState, fabric: Fabric) -> dict[str, float]:
    """Return the mean over the epoch's steps, of all processes, of all that was logged."""
    names = sorted(state.running_terms)
    sums = torch.tensor([state.running_terms[name] for name in names], dtype=torch.float64)
    means = (reduce(sums, fabric, "mean") / max(1, state.position)).tolist()
    rate = float(state.optimizers["generators"].param_groups[0]["lr"])
    return {
        "epoch": state.epoch + 1,
        "step": state.step,
        "learning_rate": rate,
        **dict(zip(names, means, strict=True)),
    }


def publish(
    state: TrainingState,
    tracker: RunTracker,
    pictures: UInt8[np.ndarray, "shown size size 3"],
    grid_every_epochs: int,
) -> None:
    """Send the tracker every finished epoch that it does not have yet, the metrics last.

    It is called after the state was saved: an epoch that the tracker has is never lost by a crash,
    and one that it lacks is sent on resuming.
    """
    last = tracker.last_step(MARKER)
    for row in state.history:
        epoch = int(row["epoch"])
        if epoch <= last:
            continue
        if epoch == state.epoch and epoch % grid_every_epochs == 0 and len(pictures):
            tracker.log_image("sample_grid", sample_grid(state, pictures), epoch)
        tracker.log_metrics({name: row[name] for name in row if name != "epoch"}, epoch)


def sample_grid(
    state: TrainingState, photos: UInt8[np.ndarray, "shown size size 3"]
) -> UInt8[np.ndarray, "height width 3"]:
    """Lay out photo | portrait | reconstructed photo of the averaged generators, a row for each."""
    generators = state.averaged_generators
    portraits = translate(generators["photo_to_portrait"], photos, 1)
    reconstructed = translate(generators["portrait_to_photo"], portraits, 1)
    columns = [np.concatenate(list(part)) for part in (photos, portraits, reconstructed)]
    return np.concatenate(columns, axis=1)


def warn_of_idle_term(row: Mapping[str, float]) -> None:
    """Warn when the perceptual term has less than 1 % of the gradient, and so does nothing."""
    share = row.get("perceptual_gradient_share")
    if share is not None and share < NEGLIGIBLE_SHARE:
        logger.warning(
            "the perceptual term has %.2g %% of the generators' gradient at λ_p = %g, too little to"
            " do anything; raise `lambda_perceptual` or use `perceptual_reduction: sum`",
            100 * share,
            row["lambda_perceptual"],
        )
