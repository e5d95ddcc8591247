"""Describe no picture twice: a photo, its portrait and their shuffled pairs meet many measures."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

Describe = Callable[[UInt8[np.ndarray, "n size size 3"]], NDArray[Any]]


class Remembering:
    """A function of crops, one row for each, that keeps its answers by the crops' content.

    The wrapped function must describe a crop without regard to those beside it.
    """

    def __init__(self, describe: Describe) -> None:
        self._describe = describe
        self._known: dict[bytes, NDArray[Any]] = {}

    def __call__(self, crops: UInt8[np.ndarray, "n size size 3"]) -> NDArray[Any]:
        """Describe every crop, asking the wrapped function for those only that are new."""
        if len(crops) == 0:
            return self._describe(crops)
        keys = [blake2b(crop.tobytes(), digest_size=16).digest() for crop in crops]
        new = {key: row for row, key in enumerate(keys) if key not in self._known}
        if new:
            self._known.update(zip(new, self._describe(crops[list(new.values())]), strict=True))
        return np.stack([self._known[key] for key in keys])
