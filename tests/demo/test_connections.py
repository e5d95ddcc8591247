"""Connections without a request end, and leave room for other visitors."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from portrait_pipeline.demo.connections import guarded_connections
from portrait_pipeline.demo.visitors import Places

REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
BEGUN = [b"", b"G", b"GET / HTTP/1.1\r\n", REQUEST[:-2], b"POST / HTTP/1.1\r\nHost: "]


async def page(scope: Any, receive: Any, send: Any) -> None:
    await PlainTextResponse("answered")(scope, receive, send)


@contextmanager
def served(**options: Any) -> Iterator[int]:
    """A page at a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        protocol = guarded_connections(**options)
        config = uvicorn.Config(page, http=protocol, lifespan="off", log_level="critical")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def connected(port: int, visitor: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 20, source_address=(visitor, 0))


def ends(connection: socket.socket) -> bool:
    """Wait until the other side closes the connection."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def answer(connection: socket.socket) -> bytes:
    """Ask, and read the answer to its end."""
    connection.sendall(REQUEST)
    received = b""
    while not received.endswith(b"answered"):
        received += connection.recv(1000)
    return received


@pytest.mark.parametrize(
    ("begun", "is_second"), [*((b, False) for b in BEGUN), *((b, True) for b in BEGUN if b)]
)
def test_a_request_that_is_not_finished_ends(begun: bytes, is_second: bool) -> None:
    """Silence, half a line, half a header: as the first thing on a connection, or after a visit.

    A connection that is silent after its answer is ended by uvicorn itself.
    """
    with served(header_seconds=0.02) as port, connected(port) as connection:
        if is_second:
            answer(connection)
        connection.sendall(begun)
        assert ends(connection)


def test_who_asks_in_time_is_answered() -> None:
    """The limit is on the header; a connection may be used again and again."""
    with served(header_seconds=30.0) as port, connected(port) as connection:
        for part in (REQUEST[:9], REQUEST[9:20]):
            connection.sendall(part)
        connection.sendall(REQUEST[20:])
        received = b""
        while not received.endswith(b"answered"):
            received += connection.recv(1000)
        assert answer(connection).startswith(b"HTTP/1.1 200")


def test_one_visitor_has_only_so_many_connections() -> None:
    """What is too much is closed at once, others come in, and a place given back is free."""
    with served(room=Places(3, 2), header_seconds=30.0) as port, ExitStack() as opened:
        kept = [opened.enter_context(connected(port)) for _ in range(2)]
        assert all(answer(each) for each in kept)
        assert ends(opened.enter_context(connected(port)))
        neighbour = opened.enter_context(connected(port, "127.0.0.2"))
        assert answer(neighbour)
        assert ends(opened.enter_context(connected(port, "127.0.0.3")))
        kept[0].shutdown(socket.SHUT_WR)
        assert ends(kept[0])
        assert answer(opened.enter_context(connected(port)))
