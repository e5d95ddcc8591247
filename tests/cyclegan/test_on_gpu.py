"""Laws that need an NVIDIA GPU; skipped where there is none."""

import copy
from dataclasses import replace
from functools import partial

import pytest
import torch
from lightning_fabric import Fabric
from support.checkpoints import differing
from support.textbook_step import plain_networks, textbook_step, with_sgd
from support.tiny_model import EVERY_INGREDIENT, PROJECTED

from portrait_pipeline.cyclegan.augmentation import DiffAugment
from portrait_pipeline.cyclegan.batches import Batch, UnpairedBatches
from portrait_pipeline.cyclegan.checkpoint import take_checkpoint
from portrait_pipeline.cyclegan.data import TrainingData, embed_real_faces
from portrait_pipeline.cyclegan.device_pictures import place_pictures
from portrait_pipeline.cyclegan.device_steps import DeferredSteps
from portrait_pipeline.cyclegan.loop import TrainingLoop
from portrait_pipeline.cyclegan.schedule import objective_at
from portrait_pipeline.cyclegan.state import build_state
from portrait_pipeline.cyclegan.step import StepContext, training_step
from portrait_pipeline.cyclegan.train import train_cyclegan
from portrait_pipeline.identity import load_embedder

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU is seen")
DEVICE = torch.device("cuda", 0)
NAMED = {"model_name": "proposed", "preparation": {}}


def test_replayed_passes_are_those_that_were_captured(parameters, faces, teacher):
    """Law: in float32 the weights after some steps are those without a graph, to 1e-4."""
    device = DEVICE
    settings = parameters(lambda_perceptual=3.0, accelerator="cuda")
    teacher.weights = teacher.weights.to(device)
    data = TrainingData(faces(12, 1), faces(12, 2))
    data = replace(data, real_embeddings=embed_real_faces(teacher, data, device))
    data = data.with_embeddings_on(device)
    pictures = place_pictures(data, device, 1.0)
    weights = []
    for use_graph in (False, True):
        state = build_state(settings, device)
        context = StepContext(Fabric(accelerator="cuda", devices=1), teacher, 0.9)
        steps = DeferredSteps(state, context, 5, use_graph)
        for batch in UnpairedBatches(data, 1, True, 0, pictures=pictures).epoch(0):
            steps.take(batch, objective_at(settings, 0, 1))
        steps.read()
        weights.append([w.detach().clone() for w in state.networks.generator_parameters()])
    for one, other in zip(*weights, strict=True):
        assert (one - other).norm() <= 1e-4 * one.norm()


def test_a_deterministic_training_repeats_its_bits(parameters, faces, services):
    """Law: with `deterministic: true` two trainings with one seed are equal on a GPU as well."""
    data = TrainingData(faces(5, 1), faces(4, 2))
    settings = parameters(accelerator="cuda", deterministic=True, num_epochs=2, cuda_graph="auto")
    try:
        first, second = (train_cyclegan(data, settings, services, **NAMED) for _ in range(2))
    finally:
        torch.use_deterministic_algorithms(False)
    assert set(differing(first, second)) <= {"/tracking_id"}


@pytest.mark.parametrize("changes", [{}, EVERY_INGREDIENT, PROJECTED])
def test_a_step_on_a_gpu_is_the_textbooks(parameters, teacher, changes):
    """Law: in float32, without TF32, gradients are those of a plain reference step to 1e-4."""
    settings = parameters(lambda_perceptual=3.0, lambda_identity_mapping=5.0, **changes)
    teacher.weights = teacher.weights.to(DEVICE)
    generator = torch.Generator().manual_seed(4)
    photos, paintings = (torch.rand(2, 2, 3, 32, 32, generator=generator) * 2 - 1).to(DEVICE)
    batch = Batch(photos, paintings, teacher(photos), teacher(paintings))
    objective, augment = objective_at(settings, 0, 1), DiffAugment.of(settings, 0)
    change = [lambda x: x] * 2
    if augment is not None:
        change = [partial(augment, drawn=drawn.to(DEVICE)) for drawn in augment.draw(0, 2)]
    state = with_sgd(build_state(settings, DEVICE))
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        expected, _ = textbook_step(
            plain_networks(state), photos, paintings, teacher, objective, change
        )
        context = StepContext(Fabric(accelerator="cuda", devices=1), teacher, 0.9, augment)
        training_step(state, batch, objective, context)
    finally:
        torch.backends.cudnn.allow_tf32 = before
    ours = [g for optimizer in state.optimizers.values() for g in optimizer.seen]
    for gradient, true in zip(ours, expected, strict=True):
        assert (gradient - true).norm() <= 1e-4 * true.norm()


@pytest.mark.parametrize("precision", ["auto", "32-true"])
@pytest.mark.parametrize("killed_after", [4, 8])
def test_a_resumed_training_goes_on_where_it_was(
    parameters, faces, services, store, monkeypatch, precision, killed_after
):
    """Law: the state after a resume is that before the interruption, bit for bit."""
    data = TrainingData(faces(5, 1), faces(4, 2))
    changes = {
        "accelerator": "cuda",
        "precision": precision,
        "num_epochs": 2,
        "save_every_steps": 1,
    }
    settings = parameters(save_every_steps=1, **changes, **EVERY_INGREDIENT)
    saved = {}

    class _KilledError(Exception):
        pass

    def kill(state):
        if state["step"] == killed_after:
            saved.update(copy.deepcopy(state))
            raise _KilledError

    store.after_save = kill
    with pytest.raises(_KilledError):
        train_cyclegan(data, settings, services, **NAMED)
    store.after_save, again, take_steps = None, {}, TrainingLoop._steps

    def look(loop, *given):
        if not again:
            again.update(copy.deepcopy(take_checkpoint(loop.state, loop.fingerprint, loop.fabric)))
        return take_steps(loop, *given)

    monkeypatch.setattr(TrainingLoop, "_steps", look)
    train_cyclegan(data, settings.model_copy(update={"resume": True}), services, **NAMED)
    assert set(differing(saved, again)) <= {"/parameters/resume"}


def test_a_deterministic_training_with_dlibs_network_repeats_its_bits(parameters, faces, services):
    """Law: with `deterministic: true` the perceptual term and all ingredients repeat as well."""
    data = TrainingData(faces(5, 1), faces(4, 2))
    settings = parameters(
        accelerator="cuda", deterministic=True, lambda_perceptual=1.0, **EVERY_INGREDIENT
    )
    teacher = load_embedder("dlib")
    try:
        first, second = (
            train_cyclegan(data, settings, services, embedder=teacher, **NAMED) for _ in range(2)
        )
    finally:
        torch.use_deterministic_algorithms(False)
    assert set(differing(first, second)) <= {"/tracking_id"}
