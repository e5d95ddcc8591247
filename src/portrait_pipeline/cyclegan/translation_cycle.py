"""One half of the objective: a translation cycle, differentiated term by term at its fake.

This is the gradient of `losses.full_objective`, which no line here writes down as a sum: each term
is differentiated by itself, its weight applied to it, and the gradients are added.

The graph is cut at the fake, so that the gradients of the terms with respect to it are at hand one
by one before they go back through the generator that made it. That gives the perceptual term's
share of the gradient, and the weight that keeps a wanted share, without another pass; and the graph
of what comes after the fake is freed before the generator's own is traversed.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd import backward, grad

from portrait_pipeline.cyclegan.augmentation import DiffAugment
from portrait_pipeline.cyclegan.image_pool import ImagePool
from portrait_pipeline.cyclegan.losses import (
    Objective,
    cycle_consistency_loss,
    discriminator_adversarial_loss,
    generator_adversarial_loss,
    identity_mapping_loss,
    perceptual_loss,
)
from portrait_pipeline.cyclegan.services import Embedder

MAX_ADAPTIVE_LAMBDA = 1e4
Images = Float[Tensor, "batch 3 height width"]
Embeddings = Float[Tensor, "batch dimension"]


@dataclass(frozen=True)
class CycleNetworks:
    """The networks of one translation cycle: real → fake → reconstructed.

    Attributes:
        translate: Makes the fake (G for photos).
        translate_back: Makes the reconstruction (F for photos).
        discriminator: The discriminator of the fake's domain, or both in one.
        pool: Earlier fakes of that domain.
    """

    translate: nn.Module
    translate_back: nn.Module
    discriminator: nn.Module
    pool: ImagePool


@dataclass(frozen=True)
class CyclePictures:
    """The pictures of one translation cycle.

    Attributes:
        real: Those to translate.
        real_embeddings: Theirs, for a perceptual term.
        target: Real ones of the other domain, for the discriminator, which may see more than
            there are to translate.
        pool_draws: What `ImagePool.draw` decided for the fakes; None: the cycle lets it decide.
        extra_draws: Slots of earlier fakes that the discriminator sees beside those.
        augmentation: This half of what `DiffAugment.draw` drew; None where nothing is augmented.
        lambdas: λ_c and λ_p on the device, so that a replayed step follows them; None: those of
            the objective.
    """

    real: Images
    real_embeddings: Embeddings | None
    target: Float[Tensor, "shown 3 height width"]
    pool_draws: Int[Tensor, "batch 3"] | None = None
    extra_draws: Int[Tensor, " extra"] | None = None
    augmentation: Float[Tensor, "shown 6"] | None = None
    lambdas: Float[Tensor, "2"] | None = None


@dataclass(frozen=True)
class CycleContext:
    """What the steps of one training have in common.

    Attributes:
        embedder: The teacher, or None without a perceptual term.
        autocast: Makes the context in which the four networks run.
        scale: Factor on the losses against underflow in float16 gradients; 1 otherwise.
        augment: Changes what discriminators see, or None.
    """

    embedder: Embedder | None
    autocast: Callable[[], AbstractContextManager[None]]
    scale: float = 1.0
    augment: DiffAugment | None = None


def run_cycle(
    networks: CycleNetworks, pictures: CyclePictures, objective: Objective, context: CycleContext
) -> dict[str, Float[Tensor, ""]]:
    """Add the gradients of one half of the objective, and of its discriminator, to the weights'.

    Each weight gets one summand, so that with the other half's at the same time there are two, and
    their order does not matter.

    Returns:
        The unweighted terms, without graph.
    """
    networks.discriminator.requires_grad_(False)
    with context.autocast():
        fake = networks.translate(pictures.real)
    cut = fake.detach().float().requires_grad_()
    terms = _adversarial(networks, cut, pictures, objective, context)
    terms |= _translated_back(networks, cut, pictures, objective, context)
    at_fake = cut.grad
    if at_fake is None:
        raise RuntimeError("no gradient reached the fake")
    if objective.is_perceptual:
        at_perceptual, perceptual = _perceptual_gradient(cut, at_fake, pictures, objective, context)
        at_fake, terms = at_fake + at_perceptual, terms | perceptual
    backward(fake, at_fake.to(fake.dtype), inputs=list(networks.translate.parameters()))
    terms["discriminator_loss"] = _train_discriminator(
        networks, cut.detach(), pictures, objective, context
    )
    return {name: term.detach() for name, term in terms.items()}


def _patch_logits(
    networks: CycleNetworks, shown: Images, pictures: CyclePictures, context: CycleContext
) -> tuple[Tensor, ...]:
    """Show pictures, changed as drawn, to the discriminator, or to both; return their logits."""
    if context.augment is not None and pictures.augmentation is not None:
        shown = context.augment(shown, pictures.augmentation[: len(shown)])
    with context.autocast():
        logits = networks.discriminator(shown)
    return logits if isinstance(logits, tuple) else (logits,)


def _adversarial(
    networks: CycleNetworks,
    fake: Images,
    pictures: CyclePictures,
    objective: Objective,
    context: CycleContext,
) -> dict[str, Tensor]:
    kind = objective.adversarial_loss
    each = _patch_logits(networks, fake, pictures, context)
    loss = torch.stack([generator_adversarial_loss(logits, kind) for logits in each]).mean()
    backward(loss * context.scale, inputs=[fake])
    return {"adversarial_loss": loss}


def _translated_back(
    networks: CycleNetworks,
    fake: Images,
    pictures: CyclePictures,
    objective: Objective,
    context: CycleContext,
) -> dict[str, Tensor]:
    weight = objective.lambda_cycle if pictures.lambdas is None else pictures.lambdas[0]
    with context.autocast():
        cycle = cycle_consistency_loss(networks.translate_back(fake), pictures.real)
        terms, total = {"cycle_consistency_loss": cycle}, weight * cycle
        if objective.lambda_identity_mapping > 0.0:
            mapped = identity_mapping_loss(networks.translate_back(pictures.real), pictures.real)
            total = total + objective.lambda_identity_mapping * mapped
            terms["identity_mapping_loss"] = mapped
    backward(total * context.scale, inputs=[*networks.translate_back.parameters(), fake])
    return terms


def _perceptual_gradient(
    fake: Images,
    at_fake: Images,
    pictures: CyclePictures,
    objective: Objective,
    context: CycleContext,
) -> tuple[Images, dict[str, Tensor]]:
    """Return λ_p times the perceptual term's gradient at the fake, and what is logged of it.

    The share of the gradient is ‖λ_p g_p‖ / (‖λ_p g_p‖ + ‖g‖), g being that of the other terms. To
    keep a share s the weight is λ_p = s / (1 - s) ‖g‖ / ‖g_p‖, as VQGAN (Esser et al. 2021,
    equation 7) balances its adversarial term.
    """
    if context.embedder is None or pictures.real_embeddings is None:
        raise ValueError("a perceptual term needs an embedder and the real embeddings")
    loss = perceptual_loss(
        context.embedder(fake), pictures.real_embeddings, objective.perceptual_reduction
    )
    (gradient,) = grad(loss * context.scale, fake)
    norm, other_norm = gradient.norm(), at_fake.norm()
    weight = (
        torch.full_like(norm, objective.lambda_perceptual)
        if pictures.lambdas is None
        else pictures.lambdas[1]
    )
    if objective.perceptual_gradient_share is not None:
        odds = objective.perceptual_gradient_share / (1.0 - objective.perceptual_gradient_share)
        weight = (odds * other_norm / norm.clamp_min(1e-12)).clamp_max(MAX_ADAPTIVE_LAMBDA)
    share = weight * norm / (weight * norm + other_norm).clamp_min(1e-12)
    terms = {"perceptual_loss": loss, "lambda_perceptual": weight}
    return weight * gradient, terms | {"perceptual_gradient_share": share}


def _train_discriminator(
    networks: CycleNetworks,
    fake: Images,
    pictures: CyclePictures,
    objective: Objective,
    context: CycleContext,
) -> Tensor:
    networks.discriminator.requires_grad_(True)
    draws = pictures.pool_draws
    pooled = networks.pool.query(fake) if draws is None else networks.pool.exchange(fake, draws)
    if pictures.extra_draws is not None and len(pictures.extra_draws):
        pooled = torch.cat([pooled, networks.pool.kept(pictures.extra_draws)])
    shown, kind = torch.cat([pictures.target, pooled]), objective.adversarial_loss
    each = [logits.chunk(2) for logits in _patch_logits(networks, shown, pictures, context)]
    losses = [discriminator_adversarial_loss(real, fake, kind) for real, fake in each]
    loss = torch.stack(losses).mean()
    backward(loss * context.scale, inputs=list(networks.discriminator.parameters()))
    return loss
