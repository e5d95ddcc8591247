"""What this process has used and may use. Windows has no such limits and does not say."""

import math
import sys

try:
    import resource
except ImportError:  # on Windows
    resource = None  # type: ignore[assignment]

_PEAK_UNIT_BYTES = 1 if sys.platform == "darwin" else 2**10


def peak_memory_mb() -> float:
    """Return the most resident memory that this process has had, in MB; NaN on Windows."""
    if resource is None:
        return math.nan
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _PEAK_UNIT_BYTES / 2**20


def limit_process(memory_bytes: int, seconds: float) -> None:
    """Bound memory and processor's time from now on; allow no file and no core dump.

    The system ends the process when its time is over; without memory, libraries raise.
    """
    if resource is None:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = math.ceil(used.ru_utime + used.ru_stime + seconds)
    for kind, limit in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, until),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        soft = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (soft, hard))
