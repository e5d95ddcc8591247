"""The terms of the objective (report, section 4.2), each an unweighted batch mean.

Weights are applied in one place, `portrait_pipeline.cyclegan.step`. Every term is computed in
float32, whatever the precision of the networks.
"""

from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812  the field's own name
from jaxtyping import Float
from torch import Tensor

AdversarialLoss = Literal["least_squares", "log"]
PerceptualReduction = Literal["sum", "mean"]


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
