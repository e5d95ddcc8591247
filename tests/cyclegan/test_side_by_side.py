"""Laws of two computations at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from portrait_pipeline.cyclegan.side_by_side import _workers, side_by_side

CPU = torch.device("cpu")


def test_results_come_in_order_from_two_threads_with_half_of_the_cores(two_threads):
    """Law: first is first; each has one of two threads; the caller keeps its own."""
    names = side_by_side(
        lambda: (threading.current_thread().name, torch.get_num_threads()),
        lambda: (threading.current_thread().name, torch.get_num_threads()),
        CPU,
    )
    assert [number for _, number in names] == [1, 1]
    assert all(name.startswith("translation-cycle") for name, _ in names)
    assert side_by_side(lambda: 1, lambda: 2, CPU) == (1, 2)
    assert torch.get_num_threads() == 2


def test_neither_half_takes_over_a_number_of_threads_set_elsewhere(two_threads):
    """Law: each half computes with one of two threads, whatever was set since the last pair.

    Both workers exist and have not used PyTorch yet when the process's default changes.
    """
    _workers.cache_clear()
    barrier = threading.Barrier(2)
    side_by_side(barrier.wait, barrier.wait, CPU)
    torch.set_num_threads(2)

    def number() -> int:
        barrier.wait()
        return torch.get_num_threads()

    assert side_by_side(number, number, CPU) == (1, 1)


def test_threads_started_afterwards_have_all_cores(two_threads):
    """Law: half of the threads is for the two halves alone, not for what the process does next."""
    _workers.cache_clear()
    side_by_side(torch.get_num_threads, torch.get_num_threads, CPU)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == 2


def test_an_error_in_either_half_is_raised(two_threads):
    """Law: nothing that goes wrong in a thread is lost."""
    for pair in ((lambda: 1 / 0, lambda: 1), (lambda: 1, lambda: 1 / 0)):
        with pytest.raises(ZeroDivisionError):
            side_by_side(*pair, CPU)
