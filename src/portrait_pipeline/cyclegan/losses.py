"""The terms of the objective (report, section 4.2), each an unweighted batch mean.

`full_objective` adds them up with their weights (4.2.4); `translation_cycle` differentiates that
sum piece by piece. Every term is computed in float32, whatever the precision of the networks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
import torch.nn.functional as F  # noqa: N812  the field's own name
from jaxtyping import Float
from torch import Tensor

AdversarialLoss = Literal["least_squares", "log"]
PerceptualReduction = Literal["sum", "mean"]
Term = TypeVar("Term", float, Tensor)


@dataclass(frozen=True)
class Objective:
    """The report's objective (4.2.4) at one step: forms and weights of its terms.

    Attributes:
        adversarial_loss: `least_squares` or `log`.
        lambda_cycle: λ_c, weight of each cycle's term.
        lambda_identity_mapping: λ_i, weight of each G(y) ≈ y term.
        lambda_perceptual: λ_p at this step; 0 where `perceptual_gradient_share` is given.
        perceptual_gradient_share: The share to keep, in (0, 1), or None for a fixed λ_p.
        perceptual_reduction: `sum` or `mean`.
    """

    adversarial_loss: AdversarialLoss
    lambda_cycle: float
    lambda_identity_mapping: float
    lambda_perceptual: float
    perceptual_gradient_share: float | None
    perceptual_reduction: PerceptualReduction

    @property
    def is_perceptual(self) -> bool:
        """Whether the perceptual term counts at this step."""
        return self.lambda_perceptual > 0.0 or self.perceptual_gradient_share is not None


def full_objective(terms: Mapping[str, Term], objective: Objective) -> Term | float:
    """What the generators minimise (report, 4.2.4): the weighted sum of its terms.

    With each term summed over both cycles, that of the photo and that of the painting:

        L(G, F) = L_adversarial + λ_c L_cycle + λ_i L_identity_mapping + λ_p L_perceptual

    Args:
        terms: The unweighted terms by name, of both cycles or of one; those absent count as 0.
        objective: The weights.
    """
    return (
        terms.get("adversarial_loss", 0.0)
        + objective.lambda_cycle * terms.get("cycle_consistency_loss", 0.0)
        + objective.lambda_identity_mapping * terms.get("identity_mapping_loss", 0.0)
        + objective.lambda_perceptual * terms.get("perceptual_loss", 0.0)
    )


def generator_adversarial_loss(
    fake_logits: Float[Tensor, "batch 1 rows columns"], kind: AdversarialLoss
) -> Float[Tensor, ""]:
    """Tell a generator how far its fakes are from passing as real; 0 is perfect.

    `least_squares`: E[(D(G(x)) - 1)²] (Zhu et al. 2017, section 3.3). `log`: E[-log σ(D(G(x)))],
    the non-saturating form (Goodfellow et al. 2014, section 3) of the report's 4.2.1, whose
    E[log(1 - σ(D(G(x))))] has the same fixed point and no gradient while the fakes are bad.

    Args:
        fake_logits: The discriminator's patch logits of fakes.
        kind: Which of the two.
    """
    logits = fake_logits.float()
    return _distance_to(logits, torch.ones_like(logits), kind)


def discriminator_adversarial_loss(
    real_logits: Float[Tensor, "batch 1 rows columns"],
    fake_logits: Float[Tensor, "batch 1 rows columns"],
    kind: AdversarialLoss,
) -> Float[Tensor, ""]:
    """Tell a discriminator how well it separates real from fake; 0 is perfect.

    `least_squares`: ½ (E[(D(y) - 1)²] + E[D(G(x))²]). `log`: ½ (E[-log σ(D(y))] +
    E[-log(1 - σ(D(G(x))))]), the negative of the report's 4.2.1. The half slows the discriminator
    down beside the generators (Zhu et al. 2017, section 7.1).
    """
    real, fake = real_logits.float(), fake_logits.float()
    loss_real = _distance_to(real, torch.ones_like(real), kind)
    return 0.5 * (loss_real + _distance_to(fake, torch.zeros_like(fake), kind))


def _distance_to(logits: Tensor, target: Tensor, kind: AdversarialLoss) -> Tensor:
    match kind:
        case "least_squares":
            return F.mse_loss(logits, target)
        case "log":
            return F.binary_cross_entropy_with_logits(logits, target)
        case _:
            raise ValueError(f"adversarial_loss is {kind!r}, expected 'least_squares' or 'log'")


def cycle_consistency_loss(
    reconstructed: Float[Tensor, "batch 3 height width"],
    real: Float[Tensor, "batch 3 height width"],
) -> Float[Tensor, ""]:
    """Mean of |F(G(x)) - x| over batch, channels and pixels, in [0, 2] (report, 4.2.2).

    The report writes the L1 norm; as in Zhu et al.'s code it is the mean, so that λ_c = 10 means
    the same at every size.
    """
    return F.l1_loss(reconstructed.float(), real.float())


def identity_mapping_loss(
    mapped: Float[Tensor, "batch 3 height width"],
    real: Float[Tensor, "batch 3 height width"],
) -> Float[Tensor, ""]:
    """Mean of |G(y) - y|, in [0, 2]: a painting put into `photo_to_portrait` should stay as it is.

    CycleGAN's optional term (Zhu et al. 2017, section 5.2), there with weight 0.5 λ_c. Not to be
    confused with `perceptual_loss`, which keeps the person's identity.
    """
    return F.l1_loss(mapped.float(), real.float())


def perceptual_loss(
    fake_embeddings: Float[Tensor, "batch dimension"],
    real_embeddings: Float[Tensor, "batch dimension"],
    reduction: PerceptualReduction,
) -> Float[Tensor, ""]:
    """Squared distance of a fake's face embedding to that of the picture it was made from.

    `sum`: E[‖e(G(x)) - e(x)‖²₂] (report, 4.2.3), in [0, 4] for unit vectors, 2 (1 - cos).
    `mean`: the mean over dimensions too, as the report's notebooks computed it: smaller by the
    dimension, 512 for FaceNet.
    """
    squared = (fake_embeddings.float() - real_embeddings.float()).square()
    match reduction:
        case "sum":
            return squared.sum(dim=1).mean()
        case "mean":
            return squared.mean()
        case _:
            raise ValueError(f"perceptual_reduction is {reduction!r}, expected 'sum' or 'mean'")
