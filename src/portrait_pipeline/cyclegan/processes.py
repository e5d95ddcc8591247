"""What several processes that train one model tell one another."""

from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from torch import Tensor


def reduce(values: Tensor, fabric: Fabric, how: Literal["mean", "max"]) -> Tensor:
    """Return the mean or the maximum over all processes, element by element."""
    if fabric.world_size == 1:
        return values
    reduced = fabric.all_reduce(values, reduce_op=how)
    if not isinstance(reduced, Tensor):
        raise TypeError(f"all_reduce gave {type(reduced).__name__}, expected a tensor")
    return reduced


def any_wishes(wishes: tuple[bool, ...], fabric: Fabric) -> list[bool]:
    """Return for each wish whether any process has it, so that all do the same."""
    flags = torch.tensor(wishes, dtype=torch.int32, device=fabric.device)
    return [bool(flag) for flag in reduce(flags, fabric, "max").tolist()]


def gather(own: Any, fabric: Fabric) -> list[Any]:
    """Return what every process gave, in the order of their ranks."""
    if fabric.world_size == 1:
        return [own]
    parts: list[Any] = [None] * fabric.world_size
    torch.distributed.all_gather_object(parts, own)
    return parts
