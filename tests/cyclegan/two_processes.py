"""What each of two processes does in test_distributed.py; its argument is a folder for results."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch
from support.in_memory import MemoryStore, MemoryTracker
from support.tiny_training import tiny_faces, tiny_parameters

from portrait_pipeline.cyclegan.batches import UnpairedBatches
from portrait_pipeline.cyclegan.data import TrainingData
from portrait_pipeline.cyclegan.distributed import start_fabric
from portrait_pipeline.cyclegan.schedule import objective_at
from portrait_pipeline.cyclegan.services import Services
from portrait_pipeline.cyclegan.state import build_state
from portrait_pipeline.cyclegan.step import StepContext, training_step
from portrait_pipeline.cyclegan.train import train_cyclegan
from portrait_pipeline.errors import ProcessLostError, TrainingInterruptedError

NAMED: dict[str, Any] = {"model_name": "baseline", "preparation": {}}


def one_step(batch_size: int) -> list[torch.Tensor]:
    """Take one step with SGD on this process's share; return all weights."""
    settings = tiny_parameters(batch_size=batch_size)
    fabric = start_fabric(settings)
    rank, count = fabric.global_rank, fabric.world_size
    batches = UnpairedBatches(
        TrainingData(tiny_faces(4, 1), tiny_faces(4, 2)), batch_size, True, 0, rank, count
    )
    state, objective = build_state(settings, fabric.device, rank), objective_at(settings, 0, 1)
    nets = state.networks
    weights = [*nets.generator_parameters(), *nets.discriminator_parameters()]
    state.optimizers = {
        "generators": torch.optim.SGD(nets.generator_parameters(), lr=0.05),
        "discriminators": torch.optim.SGD(nets.discriminator_parameters(), lr=0.05),
    }
    training_step(state, next(batches.epoch(0)), objective, StepContext(fabric, None, 0.9))
    return [weight.detach() for weight in weights]


def train(folder: Path, rank: int) -> None:
    """Train whole; then with a SIGTERM to the second process alone; then resume."""
    store, tracker = MemoryStore(), MemoryTracker()
    data, services = TrainingData(tiny_faces(6, 1), tiny_faces(5, 2)), Services(tracker, store)
    settings = tiny_parameters(save_every_steps=2, num_epochs=2)
    whole = train_cyclegan(data, settings, services, **NAMED)
    written = (len(store.states), len(tracker.rows), len(tracker.starts), len(tracker.images))
    times = iter(range(10_000))

    def clock() -> float:
        if next(times) == 6 and rank == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return 0.0

    stopped_at = -1
    try:
        train_cyclegan(data, settings, Services(tracker, store, clock=clock), **NAMED)
    except TrainingInterruptedError as error:
        stopped_at = int(str(error).split("after step ")[1].split(";")[0])
    if rank == 0:
        torch.save(store.states, folder / "store.pt")
    torch.distributed.barrier()
    store.states = torch.load(folder / "store.pt", weights_only=True)
    resumed = train_cyclegan(data, settings.model_copy(update={"resume": True}), services, **NAMED)
    results = {"whole": whole, "resumed": resumed, "written": written, "stopped_at": stopped_at}
    torch.save(results, folder / f"train-{rank}.pt")


def lose(folder: Path, rank: int) -> None:
    """Train until the second process is killed; the first keeps what it says and has saved."""
    store, tracker, times = MemoryStore(), MemoryTracker(), iter(range(10_000))

    def clock() -> float:
        if next(times) == 6 and rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0.0

    services = Services(tracker, store, clock=clock)
    data, settings = (
        TrainingData(tiny_faces(6, 1), tiny_faces(5, 2)),
        tiny_parameters(save_every_steps=1),
    )
    try:
        train_cyclegan(data, settings, services, **NAMED)
    except ProcessLostError as error:
        signal.raise_signal(signal.SIGTERM)  # as torchrun does to those that are left
        steps = [state["step"] for state in store.states]
        results = {"message": str(error), "steps": steps, "statuses": tracker.statuses}
        torch.save(results, folder / f"lost-{rank}.pt")
        raise


if __name__ == "__main__":
    results_folder, this_rank = Path(sys.argv[1]), int(os.environ["RANK"])
    torch.save(one_step(1), results_folder / f"step-{this_rank}.pt")
    train(results_folder, this_rank)
    lose(results_folder, this_rank)
