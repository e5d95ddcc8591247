"""How many processor cores may be used."""

import os

import pytest

from portrait_pipeline.cores import available_cores


def test_only_the_cores_of_this_process_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that may run on three cores of many has three."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 2, 5}, raising=False)
    assert available_cores() == 3


@pytest.mark.parametrize(("count", "expected"), [(8, 8), (None, 1)])
def test_systems_without_affinity_count_all(
    count: int | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system does not say what a process may use, all cores count; at least one."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    assert available_cores() == expected
