"""Independent streams of random numbers, all derived from the one seed of the parameters."""

from enum import IntEnum

import numpy as np
import torch


class Stream(IntEnum):
    """What a stream of random numbers decides; the numbers are part of the checkpoint format."""

    WEIGHTS = 0
    PHOTO_ORDER = 1
    PAINTING_ORDER = 2
    PHOTO_POOL = 3
    PAINTING_POOL = 4
    TRAINING_PAIRS = 5


def random_generator(seed: int, stream: Stream, *within: int) -> torch.Generator:
    """Return the generator of one stream.

    Args:
        seed: The seed of the whole training, at least 0.
        stream: What the numbers decide.
        within: Further indices, for example the epoch or the rank; each gives its own numbers.
    """
    sequence = np.random.SeedSequence([seed, int(stream), *within])
    return torch.Generator().manual_seed(int(sequence.generate_state(1, np.uint64)[0] >> 1))
