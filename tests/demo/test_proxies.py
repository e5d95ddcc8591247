"""Behind a proxy of this machine, a visitor is who the proxy says; strangers are not believed."""

import json
import socket
from http.client import HTTPConnection
from typing import Any

import pytest
from fastapi import FastAPI, Request

from portrait_pipeline.demo import app as page


def seen_by(address: str, **headers: str) -> Any:
    """Return the address for which the server counts a request that comes from this address."""
    app = FastAPI()

    @app.get("/")
    def who(request: Request) -> str | None:
        return request.client and request.client.host

    with socket.create_server(("127.0.0.1", 0)) as listener, page._served(app, listener):
        port = listener.getsockname()[1]
        connection = HTTPConnection("127.0.0.1", port, 20, source_address=(address, 0))
        connection.request("GET", "/", headers=headers)
        answer = json.loads(connection.getresponse().read())
        connection.close()
    return answer


@pytest.mark.parametrize(
    ("address", "forwarded", "visitor"),
    [
        ("127.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("127.0.0.1", "198.51.100.1, 192.0.2.7", "192.0.2.7"),  # the first was sent by the visitor
        ("127.0.0.1", None, "127.0.0.1"),
        ("127.0.0.2", "192.0.2.7", "127.0.0.2"),  # a visitor who names another
    ],
)
def test_only_the_proxy_says_who_a_visitor_is(
    address: str, forwarded: str | None, visitor: str
) -> None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert seen_by(address, **headers) == visitor
