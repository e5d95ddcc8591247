"""Kills or signals the process that it is armed in, at a moment given by a count of its calls."""

import importlib
import inspect
import os
import signal
import sys
from dataclasses import dataclass
from types import FrameType, FunctionType
from typing import Any, Literal

DISK_CALLS = {"open", "write", "write_record", "write_end_of_file", "flush", "fsync", "replace"}
OWN_CODE = f"{os.sep}portrait_pipeline{os.sep}"
ENTRANCES = {
    "training": ("cyclegan.train", "train_cyclegan"),
    "save": ("cyclegan.checkpoint_files", "write_checkpoint"),
    "ingest": ("sources.fetch", "fetch_pictures"),
    "evaluate": ("scoring.reference", "build_reference"),
    "report": ("pipelines.reporting.nodes", "draw_figure_1"),
}


@dataclass
class KillSwitch:
    """Raises a signal in this very process at the n-th call that counts.

    Beginning and end of a call count: for a `training`, and for other stages, each in this
    project's own code, from its start to the end of the process; for a `save` each to the disk
    while a checkpoint is written.

    Attributes:
        where: What is counted.
        count: At which call it happens.
        number: The signal; SIGKILL cannot be caught, as when power fails.
    """

    where: Literal["training", "save", "ingest", "evaluate", "report"]
    count: int
    number: signal.Signals = signal.SIGKILL

    def __call__(self) -> None:
        """Arm this process; what runs before the entrance is neither counted nor slowed down."""
        module, name = ENTRANCES[self.where]
        _replace(getattr(importlib.import_module(f"portrait_pipeline.{module}"), name), self._enter)

    def _enter(self, entrance: FunctionType, *arguments: Any, **named: Any) -> Any:
        sys.setprofile(self._on_event)
        try:
            return entrance(*arguments, **named)
        finally:
            if self.where == "save":
                sys.setprofile(None)

    def _on_event(self, frame: FrameType, event: str, given: object) -> None:
        if self.where == "save":
            counts = event.startswith("c_") and given.__name__ in DISK_CALLS
        else:
            counts = OWN_CODE in frame.f_code.co_filename
        if counts:
            self.count -= 1
            if self.count == 0:
                sys.setprofile(None)
                signal.raise_signal(self.number)


def _replace(function: FunctionType, enter: Any) -> None:
    """Let a function call `enter` with itself, wherever it was imported to."""
    whole = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__
    )
    whole.__kwdefaults__ = function.__kwdefaults__
    function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    function.__globals__["__enter__"] = lambda *given, **named: enter(whole, *given, **named)
    function.__code__ = _stub.__code__


def _stub(*given: Any, **named: Any) -> Any:
    return __enter__(*given, **named)  # type: ignore[name-defined]  # of the function's own module
