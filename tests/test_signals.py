"""Ctrl-C, SIGTERM and SIGHUP: the same end for each, and no handler left behind."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest

from portrait_pipeline.signals import STOPPING, StoppedError, stopping_in_order


@pytest.fixture(autouse=True)
def _handlers_are_restored() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in STOPPING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_stops_the_block_by_its_name(number: signal.Signals) -> None:
    """No `except Exception` on the way swallows it; afterwards the old handlers are back."""
    before = signal.getsignal(number)

    def work() -> None:
        with stopping_in_order(), suppress(Exception):
            signal.raise_signal(number)

    with pytest.raises(StoppedError, match=number.name):
        work()
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", STOPPING)
def test_what_is_ignored_stays_ignored(number: signal.Signals) -> None:
    """As SIGHUP under `nohup`, SIGINT in a shell's background, SIGTERM while a lost rank closes."""
    signal.signal(number, signal.SIG_IGN)
    with stopping_in_order():
        signal.raise_signal(number)
    assert signal.getsignal(number) is signal.SIG_IGN


def test_what_is_being_closed_is_not_cut_short() -> None:
    """After the first signal SIGTERM and SIGHUP are without effect, until the block is left."""

    def work() -> None:
        with stopping_in_order():
            try:
                signal.raise_signal(signal.SIGINT)
            finally:
                signal.raise_signal(signal.SIGTERM)
                signal.raise_signal(signal.SIGHUP)

    with pytest.raises(StoppedError, match="SIGINT"):
        work()


def test_a_part_of_the_work_may_ignore_a_signal_to_the_end() -> None:
    """What is ignored from inside the block is not switched on again by leaving it."""
    with stopping_in_order():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


@pytest.mark.parametrize("number", STOPPING)
def test_a_forked_worker_just_ends(number: signal.Signals) -> None:
    """A pool that terminates its workers gets no traceback from each of them."""
    with stopping_in_order():
        child = os.fork()
        if child == 0:
            try:
                signal.raise_signal(number)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -number
