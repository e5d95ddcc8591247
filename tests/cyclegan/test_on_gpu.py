"""Laws that need an NVIDIA GPU; skipped where there is none."""

from dataclasses import replace

import pytest
import torch
from lightning_fabric import Fabric
from support.checkpoints import differing

from portrait_pipeline.cyclegan.batches import UnpairedBatches
from portrait_pipeline.cyclegan.data import TrainingData, embed_real_faces
from portrait_pipeline.cyclegan.device_pictures import place_pictures
from portrait_pipeline.cyclegan.device_steps import DeferredSteps
from portrait_pipeline.cyclegan.schedule import objective_at
from portrait_pipeline.cyclegan.state import build_state
from portrait_pipeline.cyclegan.step import StepContext
from portrait_pipeline.cyclegan.train import train_cyclegan

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU is seen")
NAMED = {"model_name": "proposed", "preparation": {}}


def test_replayed_passes_are_those_that_were_captured(parameters, faces, teacher):
    """Law: in float32 the weights after some steps are those without a graph, to 1e-4."""
    device = torch.device("cuda", 0)
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
