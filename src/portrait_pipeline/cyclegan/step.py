"""One training step of the report's objective (4.2.4), exact and with nothing computed twice.

Photographs x in X, paintings y in Y; G is `photo_to_portrait`, F is `portrait_to_photo`:

    L(G, F) = L_adv(G, D_Y) + L_adv(F, D_X) + λ_c (|F(G(x)) - x| + |G(F(y)) - y|)
            + λ_p (‖e(G(x)) - e(x)‖² + ‖e(F(y)) - e(y)‖²)

It falls into two halves, one for each real picture, that share weights but no activations. Each is
differentiated by itself, side by side on a CPU, and the gradients are added: two summands for each
weight, so that the order does not matter. The discriminators' gradients need only the fakes and
the weights before the step, so each is taken in the half that made the fake, real and fake in one
batch, which is exact since instance norm does not mix pictures.
"""

import math
from dataclasses import dataclass
from functools import partial

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from portrait_pipeline.cyclegan.average import update_average
from portrait_pipeline.cyclegan.batches import Batch
from portrait_pipeline.cyclegan.distributed import reduce
from portrait_pipeline.cyclegan.schedule import Objective
from portrait_pipeline.cyclegan.services import Embedder
from portrait_pipeline.cyclegan.side_by_side import side_by_side
from portrait_pipeline.cyclegan.state import TrainingState
from portrait_pipeline.cyclegan.translation_cycle import (
    CycleContext,
    CycleNetworks,
    CyclePictures,
    run_cycle,
)
from portrait_pipeline.errors import TrainingDivergedError

WEIGHTED = ("cycle_consistency_loss", "identity_mapping_loss", "perceptual_loss")
SHARES = ("lambda_perceptual", "perceptual_gradient_share")


@dataclass(frozen=True)
class StepContext:
    """What carries out the steps of one training.

    Attributes:
        fabric: Device, precision and processes.
        embedder: The teacher, or None for a training without a perceptual term.
        ema_decay: Decay of the averaged generators.
    """

    fabric: Fabric
    embedder: Embedder | None
    ema_decay: float


def training_step(
    state: TrainingState, batch: Batch, objective: Objective, step_context: StepContext
) -> dict[str, float]:
    """Change all networks by one step and return what is logged of it.

    Raises:
        TrainingDivergedError: if a loss is not finite; no weight has been changed then.
    """
    nets, pools = state.networks, state.image_pools
    context = CycleContext(
        step_context.embedder, step_context.fabric.autocast, state.scaler.get_scale()
    )
    to_portrait = CycleNetworks(
        nets.photo_to_portrait,
        nets.portrait_to_photo,
        nets.painting_discriminator,
        pools["painting"],
    )
    to_photo = CycleNetworks(
        nets.portrait_to_photo, nets.photo_to_portrait, nets.photo_discriminator, pools["photo"]
    )
    photo_cycle = CyclePictures(batch.photos, batch.photo_embeddings, batch.paintings)
    painting_cycle = CyclePictures(batch.paintings, batch.painting_embeddings, batch.photos)
    photo, painting = side_by_side(
        partial(run_cycle, to_portrait, photo_cycle, objective, context),
        partial(run_cycle, to_photo, painting_cycle, objective, context),
        batch.photos.device,
    )
    terms = _terms(photo, painting, objective)
    _refuse_nonsense(terms, state)
    _update(state, step_context)
    return terms


def _update(state: TrainingState, step_context: StepContext) -> None:
    if step_context.fabric.world_size > 1:
        _average_over_processes(step_context.fabric, state.networks.generator_parameters())
        _average_over_processes(step_context.fabric, state.networks.discriminator_parameters())
    for optimizer in state.optimizers.values():
        state.scaler.step(optimizer)
        optimizer.zero_grad(set_to_none=True)
    state.scaler.update()
    for name, averaged in state.averaged_generators.items():
        update_average(averaged, getattr(state.networks, name), step_context.ema_decay, state.step)


def _average_over_processes(fabric: Fabric, weights: list[nn.Parameter]) -> None:
    """Replace every gradient by its mean over all processes, in one message."""
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    mean = reduce(torch.cat([gradient.flatten() for gradient in gradients]), fabric, "mean")
    parts = torch.split(mean, [gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def _terms(
    photo: dict[str, Tensor], painting: dict[str, Tensor], objective: Objective
) -> dict[str, float]:
    """Name what is logged: each term of each half, the report's sums, weighted terms, shares.

    `<term>_photo` is that of the cycle that starts at a photo.
    """
    halves = {"photo": photo, "painting": painting}
    names = [(f"{name}_{domain}", part[name]) for domain, part in halves.items() for name in part]
    values = torch.stack([value.float() for _, value in names]).tolist()
    terms = dict(zip([name for name, _ in names], values, strict=True))
    for name in photo:
        total = terms[f"{name}_photo"] + terms[f"{name}_painting"]
        terms[name] = total / 2 if name in SHARES else total
    return terms | _weighted(terms, objective)


def _weighted(terms: dict[str, float], objective: Objective) -> dict[str, float]:
    weights = {
        "cycle_consistency_loss": objective.lambda_cycle,
        "identity_mapping_loss": objective.lambda_identity_mapping,
    }
    weighted = {
        f"weighted_{name}": weights[name] * terms[name] for name in weights if name in terms
    }
    if "perceptual_loss" in terms:
        weighted["weighted_perceptual_loss"] = sum(
            terms[f"lambda_perceptual_{domain}"] * terms[f"perceptual_loss_{domain}"]
            for domain in ("photo", "painting")
        )
    total = terms["adversarial_loss"] + sum(weighted.values())
    if "perceptual_loss" in terms and total > 0.0:
        weighted["perceptual_loss_share"] = weighted["weighted_perceptual_loss"] / total
    return weighted | {"generator_loss": total}


def _refuse_nonsense(terms: dict[str, float], state: TrainingState) -> None:
    losses = (name for name in terms if name.endswith(("_loss_photo", "_loss_painting")))
    for name in losses:
        value = terms[name]
        if not math.isfinite(value):
            learning_rate = state.optimizers["generators"].param_groups[0]["lr"]
            raise TrainingDivergedError(name, state.step, value, learning_rate)
