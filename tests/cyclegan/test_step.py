"""One whole step against a plain reference, and what it logs."""

import copy
import itertools
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

import pytest
import torch
from lightning_fabric import Fabric
from support.textbook_step import plain_networks, textbook_step, with_sgd
from support.tiny_model import EVERY_INGREDIENT, PROJECTED
from torch.nn.functional import l1_loss, mse_loss

from portrait_pipeline.cyclegan.augmentation import DiffAugment
from portrait_pipeline.cyclegan.batches import Batch
from portrait_pipeline.cyclegan.schedule import objective_at
from portrait_pipeline.cyclegan.state import build_state
from portrait_pipeline.cyclegan.step import StepContext, training_step
from portrait_pipeline.cyclegan.translation_cycle import (
    CycleContext,
    CycleNetworks,
    CyclePictures,
    run_cycle,
)
from portrait_pipeline.errors import TrainingDivergedError

STEP = 2


def _batch(teacher, size=2):
    generator = torch.Generator().manual_seed(4)
    photos, paintings = (torch.rand(2, size, 3, 32, 32, generator=generator) * 2 - 1).unbind()
    return Batch(photos, paintings, teacher(photos), teacher(paintings))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "changes", [{"upsampling": "transposed"}, {"upsampling": "resize"}, EVERY_INGREDIENT, PROJECTED]
)
def test_a_step_is_the_textbooks(parameters, teacher, fabric, threads, changes):
    """Law: gradients to 1e-5, relative, and with SGD the weights of a plain reference step.

    It is the third of three steps. With everything on, what discriminators see is changed as drawn
    for that step, all discriminators count alike, and 0.2 + 0.8 / 3 of λ_c is left.
    """
    settings = parameters(
        lambda_perceptual=3.0, lambda_identity_mapping=5.0, num_residual_blocks=2, **changes
    )
    state, batch = with_sgd(build_state(settings, fabric.device)), _batch(teacher)
    state.step = STEP
    objective, augment = objective_at(settings, STEP, 1), DiffAugment.of(settings, 0)
    lambda_cycle = 10.0 * (0.2 + 0.8 / 3) if "lambda_cycle_final_share" in changes else 10.0
    assert objective.lambda_cycle == pytest.approx(lambda_cycle)
    change = [lambda x: x] * 2
    if augment is not None:
        change = [partial(augment, drawn=drawn) for drawn in augment.draw(STEP, 2)]
    gradients, weights = textbook_step(
        plain_networks(state), batch.photos, batch.paintings, teacher, objective, change
    )
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    training_step(state, batch, objective, StepContext(fabric, teacher, 0.9, augment))
    torch.set_num_threads(before)
    ours = [g for optimizer in state.optimizers.values() for g in optimizer.seen]
    for gradient, expected in zip(ours, gradients, strict=True):
        assert (gradient - expected).norm() <= 1e-5 * expected.norm()
    nets = state.networks
    trained = [*nets.generator_parameters(), *nets.discriminator_parameters()]
    for weight, expected in zip(trained, weights, strict=True):
        assert (weight - expected).norm() <= 1e-5 * expected.norm() + 1e-9


@pytest.mark.parametrize("changes", [{}, EVERY_INGREDIENT])
def test_discriminators_see_the_extra_pictures_too(parameters, teacher, fabric, changes):
    """Law: real ones and fakes that the pool keeps count as those of the batch, nowhere else."""
    settings = parameters(**changes)
    state, batch = with_sgd(build_state(settings, fabric.device)), _batch(teacher)
    more = torch.rand(2, 3, 3, 32, 32, generator=torch.Generator().manual_seed(5)) * 2 - 1
    batch = replace(batch, extra_photos=more[0], extra_paintings=more[1])
    objective, augment = objective_at(settings, 0, 1), DiffAugment.of(settings, 0)
    change = [lambda x: x] * 2
    if augment is not None:
        drawn = augment.draw(0, 5)
        change = [lambda x, half=half: augment(x, half[: len(x)]) for half in drawn]
    pools = copy.deepcopy(state.image_pools)  # empty, so that what it keeps are the new fakes
    kept = [pools[domain].draw(2).numel() and pools[domain].draw_kept(3) for domain in pools]
    extra = [(more[1], kept[1]), (more[0], kept[0])]
    assert list(pools) == ["photo", "painting"]
    gradients, _ = textbook_step(
        plain_networks(state), batch.photos, batch.paintings, teacher, objective, change, extra
    )
    training_step(state, batch, objective, StepContext(fabric, teacher, 0.9, augment))
    ours = [g for optimizer in state.optimizers.values() for g in optimizer.seen]
    for gradient, expected in zip(ours, gradients, strict=True):
        assert (gradient - expected).norm() <= 1e-5 * expected.norm()


def test_the_two_threads_change_no_bit(parameters, teacher, fabric):
    """Law: side by side or in turn, the weights after a few steps are the same, bit for bit."""
    settings, weights = parameters(lambda_perceptual=3.0), []
    before = torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        state = build_state(settings, fabric.device)
        for _ in range(4):
            objective = objective_at(settings, 0, 1)
            training_step(state, _batch(teacher, 1), objective, StepContext(fabric, teacher, 0.9))
        weights.append(
            [w.detach().clone() for net in plain_networks(state) for w in net.parameters()]
        )
    torch.set_num_threads(before)
    assert all(torch.equal(one, other) for one, other in zip(*weights, strict=True))


def test_what_is_logged_adds_up(parameters, teacher, fabric):
    """Law: terms are unweighted sums of both halves; weighted ones add up to the loss."""
    settings = parameters(lambda_perceptual=3.0, lambda_identity_mapping=5.0)
    state, batch = build_state(settings, fabric.device), _batch(teacher)
    nets = state.networks
    fake = nets.photo_to_portrait(batch.photos)
    cycle = l1_loss(nets.portrait_to_photo(fake), batch.photos).item()
    perceptual = (teacher(fake) - batch.photo_embeddings).square().sum(1).mean().item()
    objective = objective_at(settings, 0, 1)
    terms = training_step(state, batch, objective, StepContext(fabric, teacher, 0.9))
    assert all(isinstance(value, float) for value in terms.values())
    assert terms["cycle_consistency_loss_photo"] == pytest.approx(cycle, rel=1e-5)
    assert terms["perceptual_loss_photo"] == pytest.approx(perceptual, rel=1e-4)
    for name in ("adversarial_loss", "cycle_consistency_loss", "perceptual_loss"):
        halves = terms[f"{name}_photo"] + terms[f"{name}_painting"]
        assert terms[name] == pytest.approx(halves)
    weighted = {
        "weighted_cycle_consistency_loss": 10.0 * terms["cycle_consistency_loss"],
        "weighted_perceptual_loss": 3.0 * terms["perceptual_loss"],
        "weighted_identity_mapping_loss": 5.0 * terms["identity_mapping_loss"],
    }
    assert {key: terms[key] for key in weighted} == pytest.approx(weighted)
    total = terms["adversarial_loss"] + sum(weighted.values())
    assert terms["generator_loss"] == pytest.approx(total)
    share = weighted["weighted_perceptual_loss"] / total
    assert terms["perceptual_loss_share"] == pytest.approx(share)
    assert terms["lambda_perceptual"] == pytest.approx(3.0)


def test_the_baseline_has_no_perceptual_term(parameters, teacher, fabric):
    """Law: at λ_p = 0 no teacher is needed and nothing perceptual is logged."""
    settings, batch = parameters(), _batch(teacher)
    plain = Batch(batch.photos, batch.paintings)
    state = build_state(settings, fabric.device)
    terms = training_step(
        state, plain, objective_at(settings, 0, 1), StepContext(fabric, None, 0.9)
    )
    assert not any("perceptual" in name for name in terms)


def _one_cycle(state, batch, objective, teacher):
    nets = state.networks
    networks = CycleNetworks(
        nets.photo_to_portrait,
        nets.portrait_to_photo,
        nets.painting_discriminator,
        state.image_pools["painting"],
    )
    pictures = CyclePictures(batch.photos, batch.photo_embeddings, batch.paintings)
    terms = run_cycle(networks, pictures, objective, CycleContext(teacher, nullcontext))
    return terms, [weight.grad for weight in networks.translate.parameters()]


def test_the_share_of_the_gradient_is_that_at_the_fake(parameters, teacher, fabric):
    """Law: ‖λ_p g_p‖ / (‖λ_p g_p‖ + ‖g‖), with the gradients taken by themselves."""
    settings = parameters(lambda_perceptual=3.0)
    state, batch = build_state(settings, fabric.device), _batch(teacher)
    nets = state.networks
    fake = nets.photo_to_portrait(batch.photos).detach().requires_grad_()
    logits = nets.painting_discriminator(fake)
    others = mse_loss(logits, torch.ones_like(logits))
    others = others + 10.0 * l1_loss(nets.portrait_to_photo(fake), batch.photos)
    of_others = torch.autograd.grad(others, fake)[0].norm()
    perceptual = (teacher(fake) - batch.photo_embeddings).square().sum(1).mean()
    of_perceptual = 3.0 * torch.autograd.grad(perceptual, fake)[0].norm()
    terms, _ = _one_cycle(state, batch, objective_at(settings, 0, 1), teacher)
    expected = of_perceptual / (of_perceptual + of_others)
    torch.testing.assert_close(terms["perceptual_gradient_share"], expected)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_wanted_share_of_the_gradient_is_kept(parameters, teacher, fabric, share):
    """Law: the adapted weight gives the share asked for, and is logged, and does what it says."""
    settings = parameters(perceptual_gradient_share=share)
    state, batch = build_state(settings, fabric.device), _batch(teacher)
    terms, adapted = _one_cycle(state, batch, objective_at(settings, 0, 1), teacher)
    assert terms["perceptual_gradient_share"].item() == pytest.approx(share, rel=1e-4)
    lambda_p = terms["lambda_perceptual"].item()
    fixed_settings = parameters(lambda_perceptual=lambda_p)
    fixed_state = build_state(fixed_settings, fabric.device)
    _, fixed = _one_cycle(fixed_state, batch, objective_at(fixed_settings, 0, 1), teacher)
    for one, other in zip(adapted, fixed, strict=True):
        torch.testing.assert_close(one, other)


def test_bfloat16_leaves_the_perceptual_term_in_float32(parameters, teacher):
    """Law: under autocast networks run in bfloat16, the teacher sees and gives float32."""
    half = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    settings, seen = parameters(lambda_perceptual=3.0), []
    state, batch = build_state(settings, half.device), _batch(teacher)
    state.networks.photo_to_portrait.layers[4].register_forward_hook(
        lambda _layer, _given, made: seen.append(made.dtype)
    )

    def strict_teacher(images):
        assert not torch.is_autocast_enabled("cpu")
        return teacher(images)

    step_context = StepContext(half, strict_teacher, 0.9)
    terms = training_step(state, batch, objective_at(settings, 0, 1), step_context)
    assert set(seen) == {torch.bfloat16}
    assert 0.0 < terms["perceptual_loss_photo"] < 4.0
    weights = state.networks.generator_parameters()
    assert all(weight.dtype == torch.float32 for weight in weights)


def test_a_loss_that_is_not_finite_stops_before_any_weight_changes(parameters, teacher, fabric):
    """Law: term, step, value and learning rate are named; the weights are as before."""
    settings = parameters()
    state, batch = build_state(settings, fabric.device), _batch(teacher)
    before = [w.detach().clone() for w in state.networks.generator_parameters()]
    state.step = 7
    broken = Batch(batch.photos, batch.paintings * float("inf"))
    step = partial(training_step, state, broken, objective_at(settings, 0, 1))
    with pytest.raises(TrainingDivergedError, match=r"is nan at step 7 with learning_rate 0.0002"):
        step(StepContext(fabric, None, 0.9))
    pairs = zip(before, state.networks.generator_parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_the_generators_step_does_not_train_the_discriminators(parameters, teacher, fabric):
    """Law: a discriminator's gradient comes from its own loss alone, and it is left trainable."""
    settings, batch = parameters(), _batch(teacher)
    state = build_state(settings, fabric.device)
    _one_cycle(state, batch, objective_at(settings, 0, 1), None)
    network = state.networks.painting_discriminator
    fake = state.networks.photo_to_portrait(batch.photos).detach()
    loss = 0.5 * (((network(batch.paintings) - 1) ** 2).mean() + (network(fake) ** 2).mean())
    expected = torch.autograd.grad(loss, list(network.parameters()))
    for weight, other in zip(network.parameters(), expected, strict=True):
        assert (weight.grad - other).norm() <= 1e-5 * other.norm()
    nets = itertools.chain.from_iterable(net.parameters() for net in plain_networks(state))
    assert all(weight.requires_grad for weight in nets)
