"""Describe no picture twice: a photo, its portrait and their shuffled pairs meet many measures."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from portrait_pipeline.progress import progress_bar

CROPS_AT_ONCE = 32

Describe = Callable[[UInt8[np.ndarray, "n size size 3"]], NDArray[Any]]


class Memoised:
    """A function of crops, one row for each, that keeps its answers by the crops' content.

    The wrapped function must describe a crop without regard to those beside it. A bar with the
    title counts the crops that are new.
    """

    def __init__(self, describe: Describe, title: str) -> None:
        self._describe, self._title = describe, title
        self._known: dict[bytes, NDArray[Any]] = {}

    def __call__(self, crops: UInt8[np.ndarray, "n size size 3"]) -> NDArray[Any]:
        """Describe every crop, asking the wrapped function for those only that are new."""
        if len(crops) == 0:
            return self._describe(crops)
        keys = [blake2b(crop.tobytes(), digest_size=16).digest() for crop in crops]
        new = {key: row for row, key in enumerate(keys) if key not in self._known}
        if new:
            self._known.update(zip(new, self._describe_new(crops[list(new.values())]), strict=True))
        return np.stack([self._known[key] for key in keys])

    def _describe_new(self, crops: UInt8[np.ndarray, "n size size 3"]) -> NDArray[Any]:
        parts = []
        with progress_bar(self._title, len(crops)) as bar:
            for start in range(0, len(crops), CROPS_AT_ONCE):
                parts.append(self._describe(crops[start : start + CROPS_AT_ONCE]))
                bar.advance(len(parts[-1]))
        return np.concatenate(parts)
