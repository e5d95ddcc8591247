"""Two independent computations at once, half of the CPU's threads for each."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import torch

Result = TypeVar("Result")


def side_by_side(
    first: Callable[[], Result], second: Callable[[], Result], device: torch.device
) -> tuple[Result, Result]:
    """Run both and return both results, in this order.

    On a CPU with two threads or more they run at the same time: small convolutions use one core
    well and two badly. The results must not depend on who is done first. On a GPU, whose stream is
    one queue, they run in turn.
    """
    num_threads = torch.get_num_threads()
    if device.type != "cpu" or num_threads < 2:
        return first(), second()
    pending = _workers(os.getpid(), num_threads).submit(second)
    other = _workers(os.getpid(), num_threads).submit(first)
    return other.result(), pending.result()


@cache
def _workers(process_id: int, num_threads: int) -> ThreadPoolExecutor:  # noqa: ARG001
    """Return two workers; the process id keeps a fork from using those of its parent."""
    return ThreadPoolExecutor(
        2, "translation-cycle", initializer=torch.set_num_threads, initargs=(num_threads // 2,)
    )
