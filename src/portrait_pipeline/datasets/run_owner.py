"""Names the process that writes an MLflow run, so that runs of killed processes can be closed."""

import os
import socket
from pathlib import Path

from mlflow.entities import Run
from mlflow.tracking import MlflowClient

OWNER_TAG = "process"
MAX_OPEN_RUNS = 1000


def owner() -> str:
    """Name this process: host, process id and when it started, so that no other has the name."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def is_gone(named: str) -> bool:
    """Tell whether a process with this name has ended; False if this machine cannot know."""
    host, _, process = named.rpartition(":")[0].rpartition(":")
    if host != socket.gethostname() or not process.isdecimal():
        return False
    started = named.rpartition(":")[2]
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):  # no process has so large a number
        return True
    except PermissionError:
        pass  # a living process of somebody else
    return started != _started(int(process))


def close_lost_runs(client: MlflowClient, experiment_id: str) -> list[str]:
    """Close as KILLED the open runs of an experiment whose process has ended.

    A process that is killed with `kill -9`, or by the kernel for want of memory, closes nothing.

    Returns:
        The names of the runs that were closed.
    """
    open_runs = client.search_runs(
        [experiment_id], "attributes.status = 'RUNNING'", max_results=MAX_OPEN_RUNS
    )
    lost = [run for run in open_runs if is_gone(run.data.tags.get(OWNER_TAG, ""))]
    for run in lost:
        client.set_terminated(run.info.run_id, "KILLED")
    return [_name(run) for run in lost]


def _name(run: Run) -> str:
    return str(run.info.run_name or run.info.run_id)


def _started(process: int) -> str:
    """Return the time at which a process started, in kernel ticks; "" if it is not known."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]
