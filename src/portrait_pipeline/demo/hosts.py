"""Checks the name under which the page is called, which protects against DNS rebinding.

A browser that visits a stranger's page can be told that the stranger's name belongs to this machine
(DNS rebinding); it then sends requests here, and names the stranger in their `Host` header.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?", re.IGNORECASE)


class HostNames:
    """The names that a `Host` header may hold.

    Listening for this machine alone, these are the names of the loopback address. Listening for
    others too, they are in addition every bare address, which no name server can forge, and this
    machine's own names.

    Args:
        host: Where the page listens.
        allowed: Further names that lead here, such as `portraits.example.org`.
    """

    def __init__(self, host: str = "127.0.0.1", allowed: Iterable[str] = ()) -> None:
        self._is_open = host not in LOOPBACK
        names = {*LOOPBACK, host, *allowed}
        if self._is_open:
            own = socket.gethostname()
            names |= {own, f"{own}.local", socket.getfqdn()}
        self._names = frozenset(_plain(name) for name in names)

    def accept(self, header: str) -> bool:
        """Tell whether a request with this `Host` header was meant for this page."""
        if not _HOST.fullmatch(header):
            return False
        try:
            name = _plain(urlsplit(f"//{header}").hostname or "")
        except ValueError:  # brackets around what is no address
            return False
        return name in self._names or (self._is_open and _is_address(name))


def is_same_origin(origin: str, host: str) -> bool:
    """Tell whether an `Origin` header names the page that the `Host` header names."""
    scheme, _, netloc = origin.partition("://")
    return scheme in {"http", "https"} and netloc.lower() == host.lower()


def _plain(name: str) -> str:
    return name.lower().strip("[]").removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
