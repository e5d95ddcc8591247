"""Node functions for the tests of RayRunner; its workers import them from here."""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from portrait_pipeline.datasets.detection_journal import (
    DetectionJournal,
    DetectionJournalDataset,
)
from portrait_pipeline.errors import PortraitPipelineError, TrainingInterruptedError
from portrait_pipeline.faces.record import DetectionStore, PictureRecord


def double(number: int) -> int:
    """Return twice the number."""
    return 2 * number


def add(first: int, second: int) -> int:
    """Return the sum."""
    return first + second


def where(_: object) -> tuple[int, str]:
    """Return the process that runs this, and the number of threads that libraries are told."""
    return os.getpid(), os.environ["OMP_NUM_THREADS"]


def meet(folder: str, own: str, other: str) -> str:
    """Return once another node runs at the same moment."""
    (Path(folder) / own).touch()
    deadline = time.monotonic() + 120.0
    while not (Path(folder) / other).exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{other} did not come")
        time.sleep(0.05)
    return own


def refuse(_: object = None) -> None:
    """Fail with a sentence for people, below an error of a library."""
    try:
        raise PortraitPipelineError("num_epochs is 0, expected at least 1")
    except PortraitPipelineError as error:
        raise OSError("could not load") from error


def break_down(_: object = None) -> float:
    """Fail by a fault of the code."""
    return 1 / 0


def die_once(folder: str) -> int:
    """Be killed in the first attempt."""
    marker = Path(folder) / "died"
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 7


def die(_: object = None) -> None:
    """Be killed in every attempt."""
    os.kill(os.getpid(), signal.SIGKILL)


def leave_once(folder: str) -> int:
    """Be asked to leave in the first attempt, as a training is when its host is taken away."""
    marker = Path(folder) / "left"
    if not marker.exists():
        marker.touch()
        raise TrainingInterruptedError("SIGTERM stopped the training; it is saved")
    return 8


class DyingJournal(DetectionJournal):
    """A journal whose worker is killed once, after it has kept its first records."""

    def put(self, records: Mapping[str, PictureRecord]) -> None:
        """Keep records, then be killed if nobody was yet."""
        super().put(records)
        marker = self._file.with_suffix(".died")
        if records and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)


class DyingJournalDataset(DetectionJournalDataset):
    """Hands out a journal whose worker is killed once."""

    def load(self) -> DetectionStore:
        """Open the journal."""
        return DyingJournal(self._filepath)
