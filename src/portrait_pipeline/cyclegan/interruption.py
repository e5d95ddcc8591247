"""Ctrl-C, SIGTERM and SIGHUP as a request to stop, honoured after the current step."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from portrait_pipeline.errors import ProcessLostError

SIGNALS = tuple(  # Windows has no SIGHUP
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


@dataclass
class Interruption:
    """Which signal came, if any; a second Ctrl-C does not wait for the step."""

    signal_name: str | None = None

    @property
    def requested(self) -> bool:
        """Whether the training should save and stop."""
        return self.signal_name is not None

    def request(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal.

        Raises:
            KeyboardInterrupt: when Ctrl-C is pressed again.
        """
        if self.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal_name = signal.Signals(number).name


@contextmanager
def listen_for_interruption() -> Iterator[Interruption]:
    """Turn the signals into an `Interruption` while the block runs, then put the handlers back.

    A signal that is ignored when the block begins stays ignored, as SIGHUP is under `nohup`.
    Outside the main thread, where Python allows no handlers, nothing changes. When another process
    of the training is lost, SIGTERM stays without effect: torchrun sends it at once to those that
    are left, while this one has a run to close and a reason to give.
    """
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interruption.request) for number in heard}
    try:
        yield interruption
    except ProcessLostError:
        before[signal.SIGTERM] = signal.SIG_IGN
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
