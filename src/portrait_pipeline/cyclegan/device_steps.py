"""Steps on a GPU that the processor never waits for: terms are read late, passes are replayed.

A GPU works through a queue. Reading a loss empties it, so here the terms of many steps stay on the
device until they are logged; and filling it costs the processor more time, kernel by kernel, than a
small step takes, so forward and backward passes are captured once as a CUDA graph and replayed. The
mathematics is that of `step`; on a CPU each step is read at once.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from portrait_pipeline.cyclegan.batches import Batch
from portrait_pipeline.cyclegan.losses import Objective
from portrait_pipeline.cyclegan.state import TrainingState
from portrait_pipeline.cyclegan.step import (
    StepContext,
    StepNumbers,
    StepTerms,
    compute_gradients,
    is_loss,
    logged_terms,
    numbers_of,
    refuse_non_finite,
    training_step,
    update_networks,
)
from portrait_pipeline.parameters import TrainingParameters

WARM_UP_STEPS = 3

Gradients = Callable[[Batch, StepNumbers], StepTerms]
Tensors = TypeVar("Tensors", Batch, StepNumbers)


class Steps(Protocol):
    """Takes the steps of a training and hands out what is logged of them."""

    def take(self, batch: Batch, objective: Objective) -> dict[str, float] | None:
        """Take one step; return what is logged of the last one that was read, if any was."""

    def read(self) -> dict[str, float] | None:
        """Read the terms of all steps taken; needed before a checkpoint or the epoch's row."""


def steps_of(
    parameters: TrainingParameters, state: TrainingState, step_context: StepContext
) -> Steps:
    """Choose how steps are taken: read late on a GPU, where float16 does not need its scale read.

    Args:
        parameters: As `for_device` returned them.
        state: Before its first step, or restored.
        step_context: Device, precision, teacher.
    """
    if step_context.fabric.device.type != "cuda" or parameters.precision == "16-mixed":
        return ImmediateSteps(state, step_context)
    use_graph = parameters.cuda_graph is True and step_context.fabric.world_size == 1
    return DeferredSteps(state, step_context, parameters.log_every_steps, use_graph)


class ImmediateSteps:
    """Takes each step and reads its terms at once, as a CPU does without loss."""

    def __init__(self, state: TrainingState, step_context: StepContext) -> None:
        self._state, self._step_context = state, step_context

    def take(self, batch: Batch, objective: Objective) -> dict[str, float]:
        """Take one step; return what is logged of it.

        Raises:
            TrainingDivergedError: if a loss is not finite; no weight has been changed then.
        """
        terms = training_step(self._state, batch, objective, self._step_context)
        self._state.count_step(terms)
        return terms

    def read(self) -> dict[str, float] | None:
        """Return None: nothing is left to read."""
        return None


@dataclass(frozen=True)
class _TakenStep:
    """A step whose terms are still on the device."""

    step: int
    learning_rate: float
    objective: Objective
    terms: StepTerms


class DeferredSteps:
    """Takes steps whose terms are read every `read_every` of them, or when `read` is called.

    From the first loss that is not finite on, the optimisers leave all weights as they are, which
    is decided on the device; reading the terms then names the step where that was.

    Args:
        state: Its optimisers must be fused, which alone can leave out a step on the device.
        step_context: Device, precision, teacher.
        read_every: Steps between two reads.
        use_graph: Replay the passes as a CUDA graph.
    """

    def __init__(
        self, state: TrainingState, step_context: StepContext, read_every: int, use_graph: bool
    ) -> None:
        self._state, self._step_context = state, step_context
        self._read_every = read_every
        self._taken: list[_TakenStep] = []
        self._graph = CapturedPasses() if use_graph else None
        self._is_broken = torch.zeros((), device=step_context.fabric.device)
        for optimizer in state.optimizers.values():
            optimizer.found_inf = self._is_broken  # type: ignore[attr-defined]  # read by fused Adam

    def take(self, batch: Batch, objective: Objective) -> dict[str, float] | None:
        """Take one step; return what is logged of the last step whenever the terms are read.

        Raises:
            TrainingDivergedError: if a loss of this step or of one not read yet is not finite.
        """
        state = self._state
        terms = self._compute(batch, objective)
        losses = [index for index, name in enumerate(terms.names) if is_loss(name)]
        is_finite = torch.stack([terms.values[index] for index in losses]).isfinite().all()
        self._is_broken.copy_(torch.maximum(self._is_broken, (~is_finite).float()))
        update_networks(state, self._step_context, keep_gradients=True)
        self._taken.append(_TakenStep(state.step, state.learning_rate, objective, terms))
        state.count_step({})
        return self.read() if len(self._taken) >= self._read_every else None

    def read(self) -> dict[str, float] | None:
        """Wait for the device and add the terms of all steps taken since to the epoch's sums.

        Returns:
            What is logged of the last of them; None if none was taken.

        Raises:
            TrainingDivergedError: naming the first step with a loss that is not finite.
        """
        taken, self._taken = self._taken, []
        if not taken:
            return None
        rows = torch.stack([each.terms.values for each in taken]).tolist()
        logged: dict[str, float] = {}
        for each, row in zip(taken, rows, strict=True):
            logged = logged_terms(each.terms.names, row, each.objective)
            refuse_non_finite(logged, each.step, each.learning_rate)
            self._state.add_terms(logged)
        return logged

    def _compute(self, batch: Batch, objective: Objective) -> StepTerms:
        state, context = self._state, self._step_context
        numbers = numbers_of(state, batch, objective, context)

        def compute(given: Batch, decided: StepNumbers) -> StepTerms:
            for optimizer in state.optimizers.values():
                optimizer.zero_grad(set_to_none=True)
            return compute_gradients(state, given, objective, context, decided)

        if self._graph is None:
            return compute(batch, numbers)
        return self._graph.run(compute, batch, numbers, objective)


class CapturedPasses:
    """The passes of a step as a CUDA graph: buffers that stay, filled anew before each replay.

    A graph holds for one form of the objective and one shape; λ_c and λ_p are read from a buffer,
    so that they may change from step to step. While form or shape changes, as a share of the
    gradient does in its warm-up, the passes run as they are written; they are captured after
    `WARM_UP_STEPS` steps alike, in which libraries have chosen their algorithms.
    """

    def __init__(self) -> None:
        self._key: object = None
        self._num_alike = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: list[Tensor] = []
        self._terms: StepTerms | None = None

    def run(
        self, compute: Gradients, batch: Batch, numbers: StepNumbers, objective: Objective
    ) -> StepTerms:
        """Compute the gradients of one step, replayed where that is possible."""
        has_lambda_p = float(objective.lambda_perceptual > 0.0)
        form = replace(objective, lambda_cycle=1.0, lambda_perceptual=has_lambda_p)
        key = (form, batch.photos.shape, batch.paintings.shape)
        if key != self._key:
            self._key, self._num_alike = key, 0
            self._graph = None
        self._num_alike += 1
        if self._num_alike <= WARM_UP_STEPS:
            return compute(batch, numbers)
        if self._graph is None:
            self._capture(compute, batch, numbers)
        if self._graph is None or self._terms is None:
            raise RuntimeError("the passes were not captured")
        given_tensors = _tensors(batch, numbers)
        for buffer, given in zip(self._inputs, given_tensors, strict=True):
            buffer.copy_(given)
        self._graph.replay()
        return StepTerms(self._terms.names, self._terms.values.clone())

    def _capture(self, compute: Gradients, batch: Batch, numbers: StepNumbers) -> None:
        """Record the passes on buffers of their own; capturing computes nothing yet."""
        still, still_numbers = _cloned(batch), _cloned(numbers)
        self._inputs = _tensors(still, still_numbers)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._terms = compute(still, still_numbers)


def _tensors(*parts: Batch | StepNumbers) -> list[Tensor]:
    return [value for part in parts for value in vars(part).values() if value is not None]


def _cloned(part: Tensors) -> Tensors:
    given = {name: value for name, value in vars(part).items() if value is not None}
    return replace(part, **{name: value.clone() for name, value in given.items()})
