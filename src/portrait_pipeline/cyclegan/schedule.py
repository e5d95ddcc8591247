"""What changes with time: the learning rate and the weights of two terms.

Both are functions of the progress alone, so that a resumed training needs no state for them.
"""

from portrait_pipeline.cyclegan.losses import Objective
from portrait_pipeline.parameters import TrainingParameters


def needs_embedder(parameters: TrainingParameters) -> bool:
    """Whether a training has a perceptual term at all; the baseline has none."""
    return parameters.lambda_perceptual > 0.0 or parameters.perceptual_gradient_share is not None


def learning_rate_at(parameters: TrainingParameters, epoch: int) -> float:
    """Return the learning rate of an epoch, counted from 0.

    Constant, then over the last `num_decay_epochs` epochs D linear towards zero (Zhu et al. 2017,
    section 7.1): in the d-th of them, counted from 1, it is lr (1 - d / (D + 1)).
    """
    decay = parameters.num_decay_epochs
    into_decay = max(0, epoch + 1 - (parameters.num_epochs - decay))
    return parameters.learning_rate * (1.0 - into_decay / (decay + 1))


def objective_at(parameters: TrainingParameters, step: int, steps_per_epoch: int) -> Objective:
    """Return the objective of a step, counted from 0.

    Over the first `perceptual_warmup_epochs` λ_p (or the share of the gradient) rises linearly,
    step by step, from nearly 0 to its value. Over the whole training λ_c falls linearly towards
    `lambda_cycle_final_share` of its value: at first it keeps the two translations together, later
    it holds back what a painter must leave out (Wang and Lin 2024, arXiv 2408.15374).
    """
    progress = min(1.0, step / (parameters.num_epochs * steps_per_epoch))
    cycle_share = 1.0 - (1.0 - parameters.lambda_cycle_final_share) * progress
    warmup_steps = parameters.perceptual_warmup_epochs * steps_per_epoch
    warmth = min(1.0, (step + 1) / warmup_steps) if warmup_steps else 1.0
    share = parameters.perceptual_gradient_share
    return Objective(
        adversarial_loss=parameters.adversarial_loss,
        lambda_cycle=parameters.lambda_cycle * cycle_share,
        lambda_identity_mapping=parameters.lambda_identity_mapping,
        lambda_perceptual=0.0 if share is not None else parameters.lambda_perceptual * warmth,
        perceptual_gradient_share=None if share is None else share * warmth,
        perceptual_reduction=parameters.perceptual_reduction,
    )
