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
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TypeVar

import torch
from jaxtyping import Float
from lightning_fabric import Fabric
from torch import Tensor, nn

from portrait_pipeline.cyclegan.batches import Batch
from portrait_pipeline.cyclegan.distributed import reduce
from portrait_pipeline.cyclegan.losses import Objective, full_objective
from portrait_pipeline.cyclegan.services import Embedder
from portrait_pipeline.cyclegan.state import TrainingState, update_average
from portrait_pipeline.cyclegan.translation_cycle import (
    CycleContext,
    CycleNetworks,
    CyclePictures,
    run_cycle,
)
from portrait_pipeline.errors import TrainingDivergedError

Result = TypeVar("Result")

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
    """

    fabric: Fabric
    embedder: Embedder | None
    ema_decay: float


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
    terms = compute_gradients(state, batch, objective, step_context)
    logged = logged_terms(terms.names, terms.values.tolist(), objective)
    refuse_non_finite(logged, state.step, state.learning_rate)
    update_networks(state, step_context)
    return logged


def compute_gradients(
    state: TrainingState,
    batch: Batch,
    objective: Objective,
    step_context: StepContext,
    pool_draws: tuple[Tensor | None, Tensor | None] = (None, None),
) -> StepTerms:
    """Add the gradients of one step to all weights; nothing waits for the device.

    Args:
        state: Its networks get the gradients, its image pools the fakes.
        batch: On the networks' device.
        objective: Of this step.
        step_context: Precision and teacher.
        pool_draws: Of the pools of paintings and of photos, where they were drawn before.
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
    photo_cycle = CyclePictures(
        batch.photos, batch.photo_embeddings, batch.paintings, pool_draws[0]
    )
    painting_cycle = CyclePictures(
        batch.paintings, batch.painting_embeddings, batch.photos, pool_draws[1]
    )
    photo, painting = side_by_side(
        partial(run_cycle, to_portrait, photo_cycle, objective, context),
        partial(run_cycle, to_photo, painting_cycle, objective, context),
        batch.photos.device,
    )
    halves = {"photo": photo, "painting": painting}
    named = {f"{name}_{domain}": part[name] for domain, part in halves.items() for name in part}
    return StepTerms(tuple(named), torch.stack([value.float() for value in named.values()]))


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


def side_by_side(
    first: Callable[[], Result], second: Callable[[], Result], device: torch.device
) -> tuple[Result, Result]:
    """Run both and return both results, in this order.

    On a CPU with two threads or more they run at the same time: small convolutions use one core
    well and two badly. The results must not depend on which one is done first. On a GPU, whose
    stream is one queue, they run in turn.
    """
    num_threads = torch.get_num_threads()
    if device.type != "cpu" or num_threads < 2:
        return first(), second()
    workers = _workers(os.getpid())
    try:
        pending = workers.submit(_with_threads, num_threads // 2, second)
        other = workers.submit(_with_threads, num_threads // 2, first)
        return other.result(), pending.result()
    finally:
        torch.set_num_threads(num_threads)


def _with_threads(num_threads: int, compute: Callable[[], Result]) -> Result:
    """Compute with a number of threads that is set before each computation, not once per worker.

    `torch.set_num_threads` sets the caller's number and a default of the whole process, and each
    thread takes that default over whenever one of PyTorch's libraries is first used in it. A worker
    that was set up once would compute with another number later, and its sums would come in
    another order than those of the other worker.
    """
    torch.set_num_threads(num_threads)
    return compute()


@cache
def _workers(process_id: int) -> ThreadPoolExecutor:  # noqa: ARG001
    """Return two workers; the process id keeps a fork from using those of its parent."""
    return ThreadPoolExecutor(2, "translation-cycle")
