"""Tells which of the processes of torchrun this one is."""

import os


def is_rank_zero() -> bool:
    """Tell whether this process may write: the only one, or the first of several."""
    return int(os.environ.get("RANK", "0")) == 0


def num_processes() -> int:
    """Count the processes that run the same pipeline."""
    return int(os.environ.get("WORLD_SIZE", "1"))
