"""What stands before the page: only what it needs comes in, and not too much of it at once."""

import re
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portrait_pipeline.demo.limits import (
    MAX_MESSAGE_BYTES,
    MAX_UPLOAD_BYTES,
    MAX_UPLOADS_AT_ONCE,
)
from portrait_pipeline.demo.uploads import BUSY, TOO_LARGE

UPLOAD = "/gradio_api/upload"
ALLOWED = re.compile(
    r"/(config|theme\.css|favicon\.ico|robots\.txt|manifest\.json|(assets|static|svelte)/.*)?"
    r"|/gradio_api/(upload|upload_progress|queue/(join|data)|heartbeat/\w+|cancel|reset"
    r"|startup-events|app_id|theme\.css|file=/.*)"
)
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
OVERHEAD_BYTES = 20_000
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval';"
        " style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:;"
        " font-src 'self' data:; connect-src 'self' blob: data:; worker-src 'self' blob:;"
        " object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
}


class TooMuchError(Exception):
    """A request is longer than it may be."""


class Gate:
    """ASGI middleware: a short list of addresses, bounded bodies, few uploads at a time.

    Args:
        app: The page.
        hosts: Names under which the page may be called; others could be a page of somebody else
            whose name was pointed at this machine.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = LOOPBACK) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._uploading = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http" or not self._may_enter(scope):
            await PlainTextResponse("not found", 404)(scope, receive, send)
            return
        if scope["path"] != UPLOAD:
            await self._pass(scope, receive, send, MAX_MESSAGE_BYTES)
            return
        if self._uploading >= MAX_UPLOADS_AT_ONCE:
            await JSONResponse({"detail": BUSY}, 503)(scope, receive, send)
            return
        self._uploading += 1
        try:
            await self._pass(scope, receive, send, MAX_UPLOAD_BYTES + OVERHEAD_BYTES)
        finally:
            self._uploading -= 1

    def _may_enter(self, scope: Scope) -> bool:
        host = re.sub(r":\d+$", "", Headers(scope=scope).get("host", ""))
        return host in self._hosts and ALLOWED.fullmatch(scope["path"]) is not None

    async def _pass(self, scope: Scope, receive: Receive, send: Send, max_bytes: int) -> None:
        """Hand the request on; refuse or cut off what is too long."""
        declared = Headers(scope=scope).get("content-length", "0")
        too_large = JSONResponse({"detail": TOO_LARGE}, 413)
        if not declared.isdigit() or int(declared) > max_bytes:
            await too_large(scope, receive, send)
            return
        answer = _Answer(send, private="/file=" in scope["path"])
        try:
            await self._app(scope, _counted(receive, max_bytes), answer)
        except TooMuchError:
            if not answer.started:
                await too_large(scope, receive, send)
        except FileNotFoundError:
            # deleted, as promised, while the browser was still asking for it
            if not answer.started:
                await PlainTextResponse("not found", 404)(scope, receive, send)


def _counted(receive: Receive, max_bytes: int) -> Receive:
    """Pass on what comes in until it is more than that."""
    num_received = 0

    async def counted() -> Message:
        nonlocal num_received
        message = await receive()
        num_received += len(message.get("body", b""))
        if num_received > max_bytes:
            raise TooMuchError
        return message

    return counted


class _Answer:
    """Sends what the page answers, with headers that keep the browser from leaking it."""

    def __init__(self, send: Send, private: bool) -> None:
        self.started = False
        self._send = send
        self._headers = HEADERS | ({"cache-control": "private, no-store"} if private else {})

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            MutableHeaders(scope=message).update(self._headers)
        await self._send(message)
