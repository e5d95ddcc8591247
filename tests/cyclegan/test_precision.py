"""What bfloat16 may cost: no more than in a textbook's step, and nothing that a seed does not."""

from dataclasses import replace

import pytest
import torch
from lightning_fabric import Fabric
from support.textbook_step import (
    gradients_by_network,
    in_float32,
    plain_networks,
    textbook_step,
    with_sgd,
)
from support.tiny_model import EVERY_INGREDIENT
from torch.nn.functional import interpolate

from portrait_pipeline.cyclegan.augmentation import DiffAugment
from portrait_pipeline.cyclegan.batches import Batch
from portrait_pipeline.cyclegan.schedule import objective_at
from portrait_pipeline.cyclegan.state import build_state
from portrait_pipeline.cyclegan.step import StepContext, training_step

CPU = torch.device("cpu")
NUM_SEEDS, NUM_STEPS = 3, 500
MOST = 1.2


def _smooth(count, seed):
    """Pictures of large soft blots, photos and paintings, in [-1, 1]."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(2 * count, 3, 6, 6, generator=generator) * 2 - 1
    return interpolate(coarse, (32, 32), mode="bilinear").split(count)


def _errors(settings, teacher, seed):
    """The relative errors of each network's gradient in bfloat16: ours and the textbook's."""
    photos, paintings = _smooth(2, seed)
    batch = Batch(photos, paintings, teacher(photos), teacher(paintings))
    objective, augment = objective_at(settings, 0, 1), DiffAugment.of(settings, 0)
    change = [lambda x: x] * 2
    if augment is not None:
        drawn = augment.draw(0, 2)
        change = [lambda x, t=t: augment(x.float(), t) for t in drawn]

    def ours(half):
        state = with_sgd(build_state(settings, CPU))
        precision = "bf16-mixed" if half else "32-true"
        fabric = Fabric(accelerator="cpu", devices=1, precision=precision)
        training_step(state, batch, objective, StepContext(fabric, teacher, 0.9, augment))
        return [g for optimizer in state.optimizers.values() for g in optimizer.seen]

    def textbook(context):
        nets, embed = plain_networks(build_state(settings, CPU)), in_float32(teacher)
        with context:
            return textbook_step(nets, photos, paintings, embed, objective, change)[0]

    nets = plain_networks(build_state(settings, CPU))
    exact = gradients_by_network(textbook, nets, CPU, half=False)
    taken = (
        gradients_by_network(lambda _context: ours(True), nets, CPU, half=True),
        gradients_by_network(textbook, nets, CPU, half=True),
    )
    return [
        [((one - true).norm() / true.norm()).item() for one, true in zip(each, exact, strict=True)]
        for each in taken
    ]


@pytest.mark.parametrize("changes", [{}, EVERY_INGREDIENT])
def test_bfloat16_costs_no_more_than_in_the_textbook(parameters, teacher, changes):
    """Law: each network's gradient errs at most 1.2 times as much as the textbook's (mean of 4)."""
    errors = []
    for seed in range(4):
        settings = parameters(seed=seed, lambda_perceptual=3.0, num_residual_blocks=2, **changes)
        errors.append(_errors(settings, teacher, seed))
    ours, textbook = torch.tensor(errors).square().mean(0).sqrt()
    assert (textbook > 1e-4).all()
    assert (ours <= MOST * textbook).all(), (ours / textbook).tolist()


def _after_500_steps(settings, teacher, precision):
    """The means of the terms over the last 100 steps of a training."""
    fabric = Fabric(accelerator="cpu", devices=1, precision=precision)
    state, (photos, paintings) = build_state(settings, CPU), _smooth(20, 9)
    context, sums = StepContext(fabric, teacher, 0.9), {}
    for step in range(NUM_STEPS):
        batch = Batch(photos[step % 20, None], paintings[step * 7 % 20, None])
        embedded = teacher(batch.photos), teacher(batch.paintings)
        batch = replace(batch, photo_embeddings=embedded[0], painting_embeddings=embedded[1])
        terms = training_step(state, batch, objective_at(settings, step, 100), context)
        state.step += 1
        if step >= NUM_STEPS - 100:
            sums = {name: sums.get(name, 0.0) + value / 100 for name, value in terms.items()}
    names = ("cycle_consistency_loss", "perceptual_loss", "adversarial_loss", "discriminator_loss")
    return torch.tensor([sums[name] for name in names])


@pytest.mark.slow
def test_500_steps_in_bfloat16_end_where_another_seed_might(parameters, teacher):
    """Law: each term's mean in one precision is within the spread of the other's over seeds."""
    ends = {}
    for precision in ("32-true", "bf16-mixed"):
        ends[precision] = torch.stack(
            [
                _after_500_steps(parameters(seed=seed, lambda_perceptual=1.0), teacher, precision)
                for seed in range(NUM_SEEDS)
            ]
        )
    spread = {name: ends[name].amax(0) - ends[name].amin(0) for name in ends}
    apart = (ends["32-true"].mean(0) - ends["bf16-mixed"].mean(0)).abs()
    assert (apart <= spread["32-true"]).all(), (apart, spread)
    assert (apart <= spread["bf16-mixed"]).all(), (apart, spread)
