"""Work for several threads."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
import torch

from portrait_pipeline.faces.parallel import in_order, single_threaded_torch


def test_results_come_in_the_order_of_the_tasks() -> None:
    """Even when the first task is the last one to finish."""
    second_is_done = Event()

    def work(task: int) -> int:
        if task == 0:
            assert second_is_done.wait(timeout=20)
        else:
            second_is_done.set()
        return task * 10

    with ThreadPoolExecutor(2) as pool:
        assert list(in_order(pool, work, range(5), ahead=2)) == [0, 10, 20, 30, 40]


@pytest.mark.parametrize("ahead", [1, 3])
def test_tasks_are_taken_only_as_there_is_room(ahead: int) -> None:
    """When the first result is handed out, no more than `ahead` tasks have been taken."""
    taken = []

    def tasks() -> Iterator[int]:
        for task in range(10):
            taken.append(task)
            yield task

    with ThreadPoolExecutor(2) as pool:
        results = in_order(pool, lambda task: task, tasks(), ahead)
        assert next(results) == 0
        assert len(taken) == ahead
        assert list(results) == list(range(1, 10))


def test_a_failing_task_fails_where_its_result_is_due() -> None:
    """The results before it are handed out."""

    def work(task: int) -> int:
        if task == 2:
            raise ValueError("broken")
        return task

    with ThreadPoolExecutor(2) as pool:
        results = in_order(pool, work, range(5), ahead=2)
        assert [next(results), next(results)] == [0, 1]
        with pytest.raises(ValueError, match="broken"):
            next(results)


def test_threads_of_torch_are_given_back() -> None:
    """Inside there is one, afterwards as many as before."""
    before = torch.get_num_threads()
    with single_threaded_torch():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_threads_of_torch_are_given_back_after_an_error() -> None:
    """An error inside passes through, and the number of threads is that of before."""
    before = torch.get_num_threads()
    block = single_threaded_torch()
    block.__enter__()
    assert not block.__exit__(RuntimeError, RuntimeError("stop"), None)
    assert torch.get_num_threads() == before
