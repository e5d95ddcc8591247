"""Two computations at the same time on a CPU, in turn elsewhere."""

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
    well and two badly. The results must not depend on which one is done first. On a GPU, whose
    stream is one queue, they run in turn.
    """
    num_threads = torch.get_num_threads()
    if device.type != "cpu" or num_threads < 2:
        return first(), second()
    workers = _workers(os.getpid())
    try:
        pending = workers.submit(_with_threads, num_threads // 2, second)
        other = workers.submit(_with_threads, num_threads // 2, first)
        return other.result(), pending.result()
    finally:
        torch.set_num_threads(num_threads)


def _with_threads(num_threads: int, compute: Callable[[], Result]) -> Result:
    """Compute with a number of threads that is set before each computation, not once per worker.

    `torch.set_num_threads` sets the caller's number and a default of the whole process, and each
    thread takes that default over whenever one of PyTorch's libraries is first used in it. A worker
    that was set up once would compute with another number later, and its sums would come in
    another order than those of the other worker.
    """
    torch.set_num_threads(num_threads)
    return compute()


@cache
def _workers(process_id: int) -> ThreadPoolExecutor:  # noqa: ARG001
    """Return two workers; the process id keeps a fork from using those of its parent."""
    return ThreadPoolExecutor(2, "translation-cycle")
