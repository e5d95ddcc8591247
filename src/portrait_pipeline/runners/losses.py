"""What Ray says of a task that was lost, in one sentence, and whether it can go on elsewhere."""

from dataclasses import dataclass
from typing import Any

from portrait_pipeline.runners.grouping import Group

_IF_MEMORY = "if the system killed it for want of memory, "


@dataclass(frozen=True)
class Loss:
    """Why a task ended without an outcome.

    Attributes:
        sentence: What happened, to which node and where.
        remedy: What to do where it happens too often.
        can_go_on: Another host may do better.
    """

    sentence: str
    remedy: str
    can_go_on: bool = True


def described_loss(ray: Any, error: Exception, group: Group, host: str) -> Loss:
    """Say what happened to a group whose worker or host was lost."""
    errors, where = ray.exceptions, f"{group.name} on {host or 'a host'}"
    if is_lost_value(ray, error):
        return Loss(f"{where} lost an input, with the host that had it", "see why hosts end")
    tags = " or ".join(sorted(group.tags)) or "none"
    fewer = f"let fewer nodes share a host with cluster.resources (tags of the node: {tags})"
    losses = {
        errors.OutOfMemoryError: Loss(
            f"{where} was killed, since the host's memory is full", fewer
        ),
        errors.OutOfDiskError: Loss(f"{where}: the host's disk is full", "free space there", False),
        errors.NodeDiedError: Loss(f"{where}: the host was lost", "see why hosts end"),
        errors.LocalRayletDiedError: Loss(f"{where}: the host was lost", "see why hosts end"),
        errors.WorkerCrashedError: Loss(f"{where}: its process was killed", _IF_MEMORY + fewer),
        errors.TaskCancelledError: Loss(f"{where}: its process was stopped", "see Ray's logs"),
    }
    unknown = Loss(f"{where} failed ({_last_line(error)})", "see Ray's logs", can_go_on=False)
    return next((loss for kind, loss in losses.items() if isinstance(error, kind)), unknown)


def is_lost_value(ray: Any, error: Exception) -> bool:
    """Tell whether an input in memory is gone, so that the node that made it runs again."""
    cause = getattr(error, "cause", None)
    lost = ray.exceptions.ObjectLostError
    return isinstance(error, lost) or isinstance(cause, lost)


def _last_line(error: Exception) -> str:
    """Return the line of Ray's report that names the error: above it are processes and frames."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:200]
