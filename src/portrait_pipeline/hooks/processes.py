"""Tells which of the processes of torchrun this one is."""

import os

from portrait_pipeline.errors import PortraitPipelineError

SET_BY_TORCHRUN = ("RANK", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def is_rank_zero() -> bool:
    """Tell whether this process may write: the only one, or the first of several."""
    return _number("RANK", 0) == 0


def num_processes() -> int:
    """Count the processes that run the same pipeline."""
    return _number("WORLD_SIZE", 1)


def check_launcher() -> None:
    """Refuse to wait for processes that nobody starts, where a batch system set their number alone.

    Raises:
        PortraitPipelineError: naming what torchrun would have set.
    """
    missing = [name for name in SET_BY_TORCHRUN if name not in os.environ]
    if num_processes() > 1 and missing:
        raise PortraitPipelineError(
            f"WORLD_SIZE is {num_processes()} in the environment, but {', '.join(missing)} is not"
            f" set, expected what torchrun sets: {_remedy()}"
        )


def _number(name: str, default: int) -> int:
    given = os.environ.get(name, str(default))
    if not given.isdecimal():
        raise PortraitPipelineError(
            f"{name} is {given!r} in the environment, expected a number: {_remedy()}"
        )
    return int(given)


def _remedy() -> str:
    return (
        "unset WORLD_SIZE and RANK to train in one process, or start several with `torchrun"
        " --nproc-per-node=N -m kedro run …`"
    )
