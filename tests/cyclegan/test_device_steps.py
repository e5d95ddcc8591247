"""Laws of steps that are read late and replayed; on a CPU, which carries out what a GPU queues."""

from contextlib import contextmanager, nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from support.tiny_model import EVERY_INGREDIENT, PROJECTED
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from portrait_pipeline.cyclegan import device_steps
from portrait_pipeline.cyclegan.augmentation import DiffAugment
from portrait_pipeline.cyclegan.batches import Batch, UnpairedBatches
from portrait_pipeline.cyclegan.data import TrainingData, embed_real_faces
from portrait_pipeline.cyclegan.device_steps import (
    DeferredSteps,
    ImmediateSteps,
    steps_of,
)
from portrait_pipeline.cyclegan.schedule import objective_at
from portrait_pipeline.cyclegan.state import build_state
from portrait_pipeline.cyclegan.step import (
    StepContext,
    StepTerms,
    compute_gradients,
    numbers_of,
)
from portrait_pipeline.errors import TrainingDivergedError
from portrait_pipeline.identity import load_embedder

NUM_STEPS = 9
RISING = {"perceptual_warmup_epochs": 2}
TERMS = ("adversarial_loss", "cycle_consistency_loss")
PERCEPTUAL = ("perceptual_loss", "lambda_perceptual", "perceptual_gradient_share")


@pytest.fixture
def steps_on(parameters, faces, teacher, fabric):
    """Builds a training of noise and takes some of its steps."""
    small = {"lambda_perceptual": 3.0, "image_pool_size": 2, "batch_size": 2}
    data = TrainingData(faces(NUM_STEPS * 2, 1), faces(7, 2))
    data = replace(data, real_embeddings=embed_real_faces(teacher, data, fabric.device))
    batches = list(UnpairedBatches(data, 2, True, 0).epoch(0))

    def run(make_steps, poisoned=None, **changes):
        settings = parameters(**{"perceptual_warmup_epochs": 1, **small, **changes})
        state = build_state(settings, fabric.device)
        steps = make_steps(
            state, StepContext(fabric, teacher, 0.9, DiffAugment.of(settings, rank=0))
        )
        for index, batch in enumerate(batches):
            factor = float("inf") if index == poisoned else 1.0
            given = replace(batch, paintings=batch.paintings * factor)
            steps.take(given, objective_at(settings, index, 4))
        steps.read()
        return state

    return run


def _weights(state):
    nets = [*state.networks.named().values(), *state.averaged_generators.values()]
    return [weight.detach().clone() for net in nets for weight in net.parameters()]


@pytest.mark.parametrize("read_every", [1, 4, 100])
def test_reading_late_changes_no_bit(steps_on, read_every):
    """Law: weights, averages, pools and the epoch's sums are those of steps read at once."""
    expected = steps_on(ImmediateSteps)
    state = steps_on(lambda state, context: DeferredSteps(state, context, read_every, False))
    assert all(map(torch.equal, _weights(state), _weights(expected)))
    assert state.running_terms == expected.running_terms
    assert (state.step, state.position) == (NUM_STEPS, NUM_STEPS)
    for domain, pool in state.image_pools.items():
        assert all(map(torch.equal, pool.images, expected.image_pools[domain].images))


@pytest.mark.parametrize("poisoned", [0, 3, 5])
def test_a_loss_that_is_not_finite_is_found_late_and_named_rightly(
    steps_on, parameters, poisoned, monkeypatch
):
    """Law: the first such step is named, and no weight has changed since the one before it."""
    states = []

    def deferred(state, context):
        states.append(state)
        return DeferredSteps(state, context, 100, False)

    with pytest.raises(TrainingDivergedError, match=f"at step {poisoned} with learning_rate"):
        steps_on(deferred, poisoned)

    class UntilThen(ImmediateSteps):
        def take(self, batch, objective):
            return super().take(batch, objective) if self._state.step < poisoned else None

    good = steps_on(UntilThen)
    pairs = zip(states[0].networks.named().values(), good.networks.named().values(), strict=True)
    for ours, theirs in pairs:
        assert all(map(torch.equal, ours.parameters(), theirs.parameters()))


@pytest.fixture
def stand_in_graph(monkeypatch):
    """CUDA graphs on a CPU: capturing computes nothing, replaying computes on the same buffers."""
    captured = []

    class StandInGraph:
        def replay(self):
            computed = self.compute(*self.given)
            self.terms.values.copy_(computed.values)

    @contextmanager
    def capture(graph):
        captured.append(graph)
        yield
        captured.append(None)

    monkeypatch.setattr(device_steps.torch.cuda, "CUDAGraph", StandInGraph)
    monkeypatch.setattr(device_steps.torch.cuda, "graph", capture)
    original = device_steps.compute_gradients

    def compute_gradients(state, batch, objective, context, draws):
        def compute(given, drawn):
            for optimizer in state.optimizers.values():
                optimizer.zero_grad(set_to_none=True)
            return original(state, given, objective, context, drawn)

        if not captured or captured[-1] is None:
            return compute(batch, draws)
        graph = captured[-1]
        mapped = ["identity_mapping_loss"] if objective.lambda_identity_mapping else []
        perceptual = PERCEPTUAL if objective.is_perceptual else ()
        each = [*TERMS, *mapped, *perceptual, "discriminator_loss"]
        names = [f"{name}_{domain}" for domain in ("photo", "painting") for name in each]
        graph.compute, graph.given = compute, (batch, draws)
        graph.terms = StepTerms(tuple(names), torch.zeros(len(names)))
        return graph.terms

    monkeypatch.setattr(device_steps, "compute_gradients", compute_gradients)
    return captured


def test_replayed_steps_are_the_same_steps(steps_on, stand_in_graph):
    """Law: through buffers that stay, weights and sums are those of steps that are not replayed.

    λ_p rises over the first four steps, the last of them replayed.
    """
    expected = steps_on(ImmediateSteps)
    state = steps_on(lambda state, context: DeferredSteps(state, context, 4, True))
    assert len(stand_in_graph) == 2
    assert all(map(torch.equal, _weights(state), _weights(expected)))
    assert state.running_terms == pytest.approx(expected.running_terms)


def test_another_objective_or_shape_is_captured_anew(stand_in_graph, parameters, fabric, faces):
    """Law: a graph is never replayed for other terms or another number of pictures."""
    settings = parameters()
    state, context = build_state(settings, fabric.device), StepContext(fabric, None, 0.9)
    steps = DeferredSteps(state, context, 100, True)
    batches = [
        next(UnpairedBatches(TrainingData(faces(4, 1), faces(4, 2)), size, True, 0).epoch(0))
        for size in (1, 2)
    ]
    objectives = [
        objective_at(parameters(lambda_identity_mapping=weight), 0, 1) for weight in (0.0, 5.0)
    ]
    for batch, objective in (
        (batches[0], objectives[0]),
        (batches[1], objectives[0]),
        (batches[1], objectives[1]),
    ):
        for _ in range(device_steps.WARM_UP_STEPS + 2):
            steps.take(batch, objective)
    assert len([graph for graph in stand_in_graph if graph is not None]) == 3


def test_weights_that_change_are_replayed(steps_on, stand_in_graph, parameters):
    """Law: λ_c and λ_p that move at every step need no new graph and count as they should."""
    changes = {"lambda_cycle_final_share": 0.0, "augment_translation": 0.2, **RISING}
    expected = steps_on(ImmediateSteps, **changes)
    state = steps_on(lambda state, context: DeferredSteps(state, context, 4, True), **changes)
    assert len([graph for graph in stand_in_graph if graph is not None]) == 1
    assert all(map(torch.equal, _weights(state), _weights(expected)))
    constant = steps_on(ImmediateSteps, **{**changes, "lambda_cycle_final_share": 1.0})
    assert not all(map(torch.equal, _weights(state), _weights(constant)))


def test_a_cpu_reads_every_step(parameters, fabric):
    """Law: what a CPU does is what it always did."""
    state = build_state(parameters(), fabric.device)
    steps = steps_of(parameters(), state, StepContext(fabric, None, 0.9))
    assert isinstance(steps, ImmediateSteps)
    assert steps.read() is None


class _OnTheDeviceAlone(TorchDispatchMode):
    """Refuses every operation that reads a value or touches memory of another device."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        tensors = [part for part in tree_leaves((args, kwargs, made)) if isinstance(part, Tensor)]
        assert all(part.device.type == "meta" for part in tensors), func
        return made


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"perceptual_gradient_share": 0.5},
        {"lambda_identity_mapping": 2.0},
        EVERY_INGREDIENT,
        PROJECTED,
    ],
)
def test_the_passes_of_a_step_never_touch_the_host(parameters, changes, monkeypatch):
    """Law: nothing is read from the device or sent to it, or a captured step would be refused.

    Tensors on the device `meta` have no values, so that reading one fails, and everything else in
    a step, dlib's network included, can be told by its device.
    """
    monkeypatch.setattr(torch, "autocast", lambda *_given, **_named: nullcontext())  # has no `meta`
    meta = torch.device("meta")
    settings = parameters(lambda_perceptual=1.0, **changes)
    state, teacher = build_state(settings, meta), load_embedder("dlib").to(meta)
    fabric = SimpleNamespace(device=meta, autocast=nullcontext)
    context = StepContext(fabric, teacher, 0.9, DiffAugment.of(settings, 0))
    pictures = torch.empty(2, 3, 32, 32, device=meta)
    embeddings = teacher(pictures)
    batch = Batch(pictures, pictures, embeddings, embeddings, pictures[:1], pictures[:1])
    objective = objective_at(settings, 0, 1)
    numbers = numbers_of(state, batch, objective, context)
    compute_gradients(state, batch, objective, context, numbers)  # fills what is kept for good
    with _OnTheDeviceAlone():
        terms = compute_gradients(state, batch, objective, context, numbers)
    assert terms.values.shape == (len(terms.names),)
