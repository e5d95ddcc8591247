"""Which of several processes this one is."""

import pytest

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.hooks.processes import (
    SET_BY_TORCHRUN,
    check_launcher,
    is_rank_zero,
    num_processes,
)


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


@pytest.mark.parametrize("missing", SET_BY_TORCHRUN)
def test_nobody_waits_for_processes_that_no_launcher_starts(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number of processes without the rest of what torchrun sets is refused, one is not."""
    for name in SET_BY_TORCHRUN:
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    check_launcher()
    monkeypatch.delenv(missing)
    with pytest.raises(PortraitPipelineError, match=rf"WORLD_SIZE is 2.*{missing} is not set"):
        check_launcher()
    monkeypatch.setenv("WORLD_SIZE", "1")
    check_launcher()


@pytest.mark.parametrize("given", ["", "first", "-1", "0.5", "0x1"])
def test_a_rank_that_is_no_number_is_named(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither variable ends with an error of Python."""
    for name, read in (("RANK", is_rank_zero), ("WORLD_SIZE", num_processes)):
        monkeypatch.setenv(name, given)
        with pytest.raises(PortraitPipelineError, match=f"{name} is '{given}'.*expected a number"):
            read()
