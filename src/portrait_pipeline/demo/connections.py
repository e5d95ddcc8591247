"""Ends connections that bring no request in time, and limits how many a visitor has open."""

import asyncio
from contextlib import ExitStack
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from portrait_pipeline.demo import limits
from portrait_pipeline.demo.visitors import FullError, Places, visitor_at


class GuardedConnection(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # h11's or httptools'
    """Uvicorn's protocol, with a time limit for requests and a limit on connections.

    The gate sees a request only once its header is complete; what is silent before that, or sends
    a header drop by drop, would keep a connection open, and the system has only so many. A
    connection that has been answered and stays idle is closed by uvicorn itself.

    Attributes:
        room: Connections that all visitors together, and one of them, may have open.
        header_seconds: From the beginning of the connection, or the first byte after an answer, to
            the end of the request's header.
    """

    room: Places
    header_seconds: float
    _place: ExitStack
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Take a place, or end the connection where there is none; wait for a request."""
        self._place = ExitStack()
        super().connection_made(transport)
        address = transport.get_extra_info("peername")
        try:
            self._place.enter_context(self.room.taken_by(visitor_at(address and address[0])))
        except FullError:
            transport.abort()
            return
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read on; wait no longer when the header is complete."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self._stop_watching()
        self._place.close()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Start the time limit while a request is awaited, and stop it otherwise."""
        if not self._is_waiting():
            self._stop_watching()
        elif self._deadline is None:
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(self.header_seconds, self._end_if_waiting)

    def _is_waiting(self) -> bool:
        cycle: Any = self.cycle
        return cycle is None or cycle.response_complete

    def _end_if_waiting(self) -> None:
        self._deadline = None
        if self._is_waiting():
            self.transport.abort()

    def _stop_watching(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def guarded_connections(
    room: Places | None = None, header_seconds: float = limits.HEADER_SECONDS
) -> type[asyncio.Protocol]:
    """Make the protocol class of one server, whose connections share one limit."""
    room = room or Places(limits.MAX_CONNECTIONS, limits.MAX_CONNECTIONS_OF_ONE)
    attributes = {"room": room, "header_seconds": header_seconds}
    return type("Connection", (GuardedConnection,), attributes)
