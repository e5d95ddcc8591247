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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from jaxtyping import Float, Int
from lightning_fabric import Fabric
from torch import Tensor, nn

from portrait_pipeline.cyclegan.augmentation import DiffAugment
from portrait_pipeline.cyclegan.batches import Batch
from portrait_pipeline.cyclegan.device_pictures import sent
from portrait_pipeline.cyclegan.distributed import reduce
from portrait_pipeline.cyclegan.losses import Objective, full_objective
from portrait_pipeline.cyclegan.services import Embedder
from portrait_pipeline.cyclegan.side_by_side import side_by_side
from portrait_pipeline.cyclegan.state import TrainingState, update_average
from portrait_pipeline.cyclegan.translation_cycle import (
    CycleContext,
    CycleNetworks,
    CyclePictures,
    run_cycle,
)
from portrait_pipeline.errors import TrainingDivergedError

WEIGHTED = ("cycle_consistency_loss", "identity_mapping_loss", "perceptual_loss")
DOMAINS = ("photo", "painting")
SHARES = ("lambda_perceptual", "perceptual_gradient_share")


@dataclass(frozen=True)
class StepContext:
    """What carries out the steps of one training.

    Attributes:
        fabric: Device, precision and processes.
        embedder: The teacher, or None for a training without a perceptual term.
        ema_decay: Decay of the averaged generators.
        augment: Changes what discriminators see, or None.
    """

    fabric: Fabric
    embedder: Embedder | None
    ema_decay: float
    augment: DiffAugment | None = None


@dataclass(frozen=True)
class StepNumbers:
    """What is decided of one step beside its pictures: tensors, which a replayed step reads anew.

    Attributes:
        painting_pool: What the pool of paintings decided for the fakes.
        photo_pool: The same of photos.
        painting_extra: Slots of earlier fakes that the discriminator of paintings sees too.
        photo_extra: The same of photos.
        lambdas: λ_c and λ_p; the latter means nothing where a share of the gradient is kept.
        augmentation: What `DiffAugment.draw` drew, or None.
    """

    painting_pool: Int[Tensor, "batch 3"]
    photo_pool: Int[Tensor, "batch 3"]
    painting_extra: Int[Tensor, " extra"]
    photo_extra: Int[Tensor, " extra"]
    lambdas: Float[Tensor, "2"]
    augmentation: Float[Tensor, "2 shown 6"] | None


@dataclass(frozen=True)
class StepTerms:
    """What one step computed, still on its device.

    Attributes:
        names: `<term>_photo` for the cycle that starts at a photo, `<term>_painting` for the other.
        values: float32, one for each name.
    """

    names: tuple[str, ...]
    values: Float[Tensor, " terms"]


def training_step(
    state: TrainingState, batch: Batch, objective: Objective, step_context: StepContext
) -> dict[str, float]:
    """Change all networks by one step and return what is logged of it.

    Raises:
        TrainingDivergedError: if a loss is not finite; no weight has been changed then.
    """
    numbers = numbers_of(state, batch, objective, step_context)
    terms = compute_gradients(state, batch, objective, step_context, numbers)
    logged = logged_terms(terms.names, terms.values.tolist(), objective)
    refuse_non_finite(logged, state.step, state.learning_rate)
    update_networks(state, step_context)
    return logged


def numbers_of(
    state: TrainingState, batch: Batch, objective: Objective, step_context: StepContext
) -> StepNumbers:
    """Decide the next step's numbers, on the CPU and moved to the device without waiting for it.

    Args:
        state: Its pools move on by one step.
        batch: Says how many pictures there are.
        objective: Of the step.
        step_context: Device and augmentation.
    """
    augment, device = step_context.augment, step_context.fabric.device
    count, num_extra, pools = len(batch.photos), batch.num_extra, state.image_pools
    lambdas = torch.tensor([objective.lambda_cycle, objective.lambda_perceptual])
    drawn = None if augment is None else sent(augment.draw(state.step, count + num_extra), device)
    return StepNumbers(
        painting_pool=sent(pools["painting"].draw(count), device),
        photo_pool=sent(pools["photo"].draw(count), device),
        painting_extra=sent(pools["painting"].draw_kept(num_extra), device),
        photo_extra=sent(pools["photo"].draw_kept(num_extra), device),
        lambdas=sent(lambdas, device),
        augmentation=drawn,
    )


def compute_gradients(
    state: TrainingState,
    batch: Batch,
    objective: Objective,
    step_context: StepContext,
    numbers: StepNumbers,
) -> StepTerms:
    """Add the gradients of one step to all weights; nothing waits for the device.

    Args:
        state: Its networks get the gradients, its image pools the fakes.
        batch: On the networks' device.
        objective: Forms of this step's terms; their weights are those among the numbers.
        step_context: Precision, teacher and augmentation.
        numbers: Of this step.
    """
    context = CycleContext(
        step_context.embedder,
        step_context.fabric.autocast,
        state.scaler.get_scale(),
        step_context.augment,
    )
    to_portrait, to_photo = _networks_of_halves(state)
    photo_cycle, painting_cycle = _pictures_of_halves(batch, numbers)
    photo, painting = side_by_side(
        partial(run_cycle, to_portrait, photo_cycle, objective, context),
        partial(run_cycle, to_photo, painting_cycle, objective, context),
        batch.photos.device,
    )
    halves = {"photo": photo, "painting": painting}
    named = {f"{name}_{domain}": part[name] for domain, part in halves.items() for name in part}
    return StepTerms(tuple(named), torch.stack([value.float() for value in named.values()]))


def _networks_of_halves(state: TrainingState) -> tuple[CycleNetworks, CycleNetworks]:
    """Return the networks of the cycle that starts at a photo and of that at a painting."""
    nets, pools = state.networks, state.image_pools
    to_portrait = CycleNetworks(
        nets.photo_to_portrait,
        nets.portrait_to_photo,
        nets.painting_discriminator,
        pools["painting"],
    )
    to_photo = CycleNetworks(
        nets.portrait_to_photo, nets.photo_to_portrait, nets.photo_discriminator, pools["photo"]
    )
    return to_portrait, to_photo


def _pictures_of_halves(batch: Batch, numbers: StepNumbers) -> tuple[CyclePictures, CyclePictures]:
    """Return the pictures and numbers of the same two cycles."""
    drawn = (None, None) if numbers.augmentation is None else numbers.augmentation
    photo_cycle = CyclePictures(
        real=batch.photos,
        real_embeddings=batch.photo_embeddings,
        target=batch.shown_paintings,
        pool_draws=numbers.painting_pool,
        extra_draws=numbers.painting_extra,
        augmentation=drawn[0],
        lambdas=numbers.lambdas,
    )
    painting_cycle = CyclePictures(
        real=batch.paintings,
        real_embeddings=batch.painting_embeddings,
        target=batch.shown_photos,
        pool_draws=numbers.photo_pool,
        extra_draws=numbers.photo_extra,
        augmentation=drawn[1],
        lambdas=numbers.lambdas,
    )
    return photo_cycle, painting_cycle


def update_networks(
    state: TrainingState, step_context: StepContext, keep_gradients: bool = False
) -> None:
    """Let both optimisers take their step and move the averages.

    Args:
        state: Changed in place.
        step_context: Processes, whose gradients are averaged, and the averages' decay.
        keep_gradients: Leave the gradients where they are: the next step overwrites them.
    """
    if step_context.fabric.world_size > 1:
        _average_over_processes(step_context.fabric, state.networks.generator_parameters())
        _average_over_processes(step_context.fabric, state.networks.discriminator_parameters())
    for optimizer in state.optimizers.values():
        state.scaler.step(optimizer)
        if not keep_gradients:
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


def logged_terms(
    names: Sequence[str], values: Sequence[float], objective: Objective
) -> dict[str, float]:
    """Return what is logged of a step: each half's terms, the report's sums, weighted ones, shares.

    Args:
        names: Of `StepTerms`.
        values: Of `StepTerms`, read from the device.
        objective: Of the step.
    """
    terms = dict(zip(names, values, strict=True))
    for name in [name.removesuffix("_photo") for name in names if name.endswith("_photo")]:
        total = terms[f"{name}_photo"] + terms[f"{name}_painting"]
        terms[name] = total / 2 if name in SHARES else total
    return terms | _weighted(terms, objective)


def _weighted(terms: dict[str, float], objective: Objective) -> dict[str, float]:
    """Return each weighted term, their sum with the adversarial one, and the perceptual share.

    Each half has a λ_p of its own where it follows a share of the gradient.
    """
    weighted: dict[str, float] = {"generator_loss": 0.0}
    for domain in DOMAINS:
        lambda_p = terms.get(f"lambda_perceptual_{domain}", 0.0)
        weights = replace(objective, lambda_perceptual=lambda_p)
        half = {
            name: terms[f"{name}_{domain}"]
            for name in (*WEIGHTED, "adversarial_loss")
            if name in terms
        }
        weighted["generator_loss"] += full_objective(half, weights)
        for name in (name for name in WEIGHTED if name in half):
            alone = full_objective({name: half[name]}, weights)
            weighted[f"weighted_{name}"] = weighted.get(f"weighted_{name}", 0.0) + alone
    total = weighted["generator_loss"]
    if "perceptual_loss" in terms and total > 0.0:
        weighted["perceptual_loss_share"] = weighted["weighted_perceptual_loss"] / total
    return weighted


def refuse_non_finite(terms: Mapping[str, float], step: int, learning_rate: float) -> None:
    """Stop at a loss that is NaN or infinite.

    Raises:
        TrainingDivergedError: naming the first such loss.
    """
    for name in filter(is_loss, terms):
        if not math.isfinite(terms[name]):
            raise TrainingDivergedError(name, step, terms[name], learning_rate)


def is_loss(name: str) -> bool:
    """Whether a logged name is that of one half's loss."""
    return name.endswith(("_loss_photo", "_loss_painting"))
