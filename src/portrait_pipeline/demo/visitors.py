"""Tells visitors apart, and limits how much each of them may use."""

import ipaddress
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

IPV6_PREFIX_BITS = 64
"""What one household or one server is given: single addresses below it cost nothing."""


class FullError(Exception):
    """All places, or all that one visitor may have, are taken."""


class Places:
    """A limited number of places, of which one visitor gets only a part.

    Args:
        total: Places for all visitors together.
        of_one: Places that one visitor may take at most.
    """

    def __init__(self, total: int, of_one: int) -> None:
        self._total = total
        self._of_one = of_one
        self._taken: Counter[str] = Counter()
        self._lock = Lock()

    @contextmanager
    def taken_by(self, visitor: str) -> Iterator[None]:
        """Hold a place while the block runs.

        Raises:
            FullError: if there is none for this visitor.
        """
        with self._lock:
            if self._taken.total() >= self._total or self._taken[visitor] >= self._of_one:
                raise FullError
            self._taken[visitor] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[visitor] -= 1
                if not self._taken[visitor]:
                    del self._taken[visitor]


def visitor_at(address: str | None) -> str:
    """Name the visitor behind a network address: IPv4 as it is, IPv6 by its network."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, IPV6_PREFIX_BITS), strict=False))
