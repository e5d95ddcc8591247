"""A save that is killed at a given step, as a process is: nothing tidies up after it."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def killed_inside(monkeypatch: pytest.MonkeyPatch, killed_at: int) -> Iterator[None]:
    """End what is saved in the block at its n-th flush or rename, counted from 1.

    The test fails if the block ends before that step.
    """
    calls = iter(range(1, 100))

    def dies_at(function: Callable[..., object]) -> Callable[..., object]:
        def dying(*given: object, **named: object) -> object:
            if next(calls) == killed_at:
                raise KeyboardInterrupt
            return function(*given, **named)

        return dying

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", dies_at(os.fsync))
        patch.setattr(os, "replace", dies_at(os.replace))
        for tidies in ((Path, "unlink"), (shutil, "rmtree")):  # a killed process does not tidy up
            patch.setattr(*tidies, lambda *_given, **_named: None)
        with pytest.raises(KeyboardInterrupt):
            yield
