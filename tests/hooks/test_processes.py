"""Which of several processes this one is."""

import pytest

from portrait_pipeline.hooks.processes import is_rank_zero, num_processes


@pytest.mark.parametrize(("rank", "first"), [(None, True), ("0", True), ("1", False), ("7", False)])
def test_the_only_process_and_the_first_may_write(
    rank: str | None, first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each process of torchrun has a rank; without torchrun there is one process."""
    monkeypatch.delenv("RANK", raising=False)
    if rank is not None:
        monkeypatch.setenv("RANK", rank)
    assert is_rank_zero() is first


def test_processes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as torchrun started, one without it."""
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert num_processes() == 1
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert num_processes() == 4
