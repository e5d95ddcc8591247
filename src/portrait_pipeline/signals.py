"""Ctrl-C, SIGTERM and SIGHUP end a command in order: cleaned up, said in a sentence, non-zero."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

STOPPING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class StoppedError(KeyboardInterrupt):
    """A signal asked the command to stop.

    Not an `Exception`, so that no `except Exception` around a decoder or a library takes it for a
    fault and goes on.
    """

    def __init__(self, number: int) -> None:
        self.signal_name = signal.Signals(number).name
        super().__init__(f"{self.signal_name} stopped the command")


@contextmanager
def stopping_in_order() -> Iterator[None]:
    """Turn the first signal into a `StoppedError`; a Ctrl-C after it ends the process at once.

    SIGTERM and SIGHUP after the first signal do not cut short what is being closed. A signal that
    is ignored stays ignored, as SIGHUP is under `nohup`. Processes forked meanwhile end by such a
    signal as if nothing were installed. Outside the main thread, where Python allows no handlers,
    nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in STOPPING}
    heard = {number: each for number, each in handlers.items() if each is not signal.SIG_IGN}
    stop = _Stop(os.getpid(), tuple(heard))
    for number in heard:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in heard.items():
            # what another part ignores meanwhile stays ignored to the end of the process
            if stop.requested or signal.getsignal(number) is stop:
                signal.signal(number, handler)


@dataclass
class _Stop:
    owner: int
    heard: tuple[int, ...]
    requested: bool = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal, in the process that installed this or in one forked from it."""
        is_child = os.getpid() != self.owner
        for each in self.heard:
            is_final = is_child or each == signal.SIGINT
            signal.signal(each, signal.SIG_DFL if is_final else signal.SIG_IGN)
        if is_child:
            os.kill(os.getpid(), number)
            return
        self.requested = True
        raise StoppedError(number)
