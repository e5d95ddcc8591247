"""A port of 127.0.0.1 for a server of a test."""

import random
import socket
from contextlib import suppress

PORTS = range(20_000, 32_000)
"""Below those that systems give to outgoing connections, and 49,151, Kedro-Viz's highest."""


def free_port() -> int:
    """Return a port at which nothing listens, hardly the one that another process is given.

    Raises:
        RuntimeError: if no port is free.
    """
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        with suppress(OSError), socket.socket() as server:
            server.bind(("127.0.0.1", port))
            return port
    raise RuntimeError(f"no port from {PORTS.start} to {PORTS.stop - 1} is free")
