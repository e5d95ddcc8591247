"""What several processes that train one model tell one another."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from torch import Tensor

from portrait_pipeline.errors import ProcessLostError


@contextmanager
def report_lost_process(fabric: Fabric) -> Iterator[None]:
    """Say in one sentence that another process has ended while this one waits for it.

    Raises:
        ProcessLostError: in place of what the network under the processes says.
    """
    try:
        yield
    except RuntimeError as error:
        if fabric.world_size == 1:
            raise
        raise ProcessLostError(
            f"process {fabric.global_rank} of {fabric.world_size} has lost another one, which"
            " torchrun names; what was saved last is kept, go on with `--params resume=true`"
        ) from error


def reduce(values: Tensor, fabric: Fabric, how: Literal["mean", "max"]) -> Tensor:
    """Return the mean or the maximum over all processes, element by element."""
    if fabric.world_size == 1:
        return values
    with report_lost_process(fabric):
        reduced = fabric.all_reduce(values, reduce_op=how)
    if not isinstance(reduced, Tensor):
        raise TypeError(f"all_reduce gave {type(reduced).__name__}, expected a tensor")
    return reduced


def any_rank(flags_of_rank: tuple[bool, ...], fabric: Fabric) -> list[bool]:
    """Return for each request whether any process has it, so that all do the same."""
    flags = torch.tensor(flags_of_rank, dtype=torch.int32, device=fabric.device)
    return [bool(flag) for flag in reduce(flags, fabric, "max").tolist()]


def gather(own: Any, fabric: Fabric) -> list[Any]:
    """Return what every process gave, in the order of their ranks."""
    if fabric.world_size == 1:
        return [own]
    parts: list[Any] = [None] * fabric.world_size
    with report_lost_process(fabric):
        torch.distributed.all_gather_object(parts, own)
    return parts


def broadcast(value: Any, fabric: Fabric) -> Any:
    """Return what the first process gave, on all of them."""
    with report_lost_process(fabric):
        return fabric.broadcast(value)
