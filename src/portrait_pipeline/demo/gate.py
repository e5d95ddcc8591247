"""A gate before the page: it passes only what the page needs, and limits size, time and number."""

import asyncio
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portrait_pipeline.demo import limits
from portrait_pipeline.demo.hosts import HostNames, is_same_origin
from portrait_pipeline.demo.messages import MessageError, MessageRules
from portrait_pipeline.demo.rest import PORTRAIT_ADDRESS
from portrait_pipeline.demo.uploads import BUSY, TOO_LARGE, UPLOAD_ADDRESS
from portrait_pipeline.demo.visitors import FullError, Places, visitor_at

logger = logging.getLogger(__name__)

TOO_SLOW = "This upload took too long. Please try again, or choose a smaller photo."
FAILED = "This could not be answered. Please reload the page."
ALLOWED = re.compile(
    r"/(config|theme\.css|favicon\.ico|robots\.txt|manifest\.json|(assets|static|svelte)/.{1,200})?"
    r"|/api/portrait|/gradio_api/(upload|upload_progress|queue/(join|data)|heartbeat/\w+|cancel|reset"
    r"|startup-events|app_id|theme\.css|file=/.*)"
)
METHODS = frozenset({"GET", "HEAD", "POST"})
PHOTO_ADDRESSES = frozenset({UPLOAD_ADDRESS, PORTRAIT_ADDRESS})
"""Where a body is a photo."""
QUERY_NAMES = frozenset({"session_hash", "upload_id", "__theme", "v"})
"""What the page itself and `/api/portrait` are asked with.

Gradio knows more, a path to a saved state among it.
"""
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
    "cross-origin-resource-policy": "same-origin",
}


class _TooMuchError(Exception):
    """A body is longer than it may be."""


class _TooSlowError(Exception):
    """A body takes longer than it may."""


@dataclass(frozen=True)
class BodyLimits:
    """How long a body may be, and how long it may take.

    Attributes:
        max_bytes: Of the whole body.
        seconds: For the whole body.
        silence_seconds: Between two pieces of it.
    """

    max_bytes: int
    seconds: float
    silence_seconds: float = limits.SILENCE_SECONDS


UPLOAD_LIMITS = BodyLimits(limits.MAX_UPLOAD_BYTES + OVERHEAD_BYTES, limits.UPLOAD_SECONDS)
MESSAGE_LIMITS = BodyLimits(limits.MAX_MESSAGE_BYTES, limits.MESSAGE_SECONDS)


class Gate:
    """ASGI middleware: a short list of addresses, checked messages, room for every visitor.

    Args:
        app: The page.
        rules: What messages may say.
        hosts: Names under which the page may be called.
        upload: Limits of the body of an upload.
        message: Limits of every other body.
    """

    def __init__(
        self,
        app: ASGIApp,
        rules: MessageRules,
        hosts: HostNames | None = None,
        upload: BodyLimits = UPLOAD_LIMITS,
        message: BodyLimits = MESSAGE_LIMITS,
    ) -> None:
        self._app = app
        self._rules = rules
        self._hosts = hosts or HostNames()
        self._upload = upload
        self._message = message
        self._requests = Places(limits.MAX_REQUESTS, limits.MAX_REQUESTS_OF_ONE)
        self._uploads = Places(limits.MAX_UPLOADS, limits.MAX_UPLOADS_OF_ONE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, private="/file=" in scope["path"])
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, answer)
            return
        try:
            with self._room(scope):
                await self._pass(scope, receive, answer)
        except Exception as error:
            instead = _answer_to(error)
            if instead is not None:
                await answer.instead(instead, scope)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the refusal of a request that the page does not need or another site sent."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        is_expected = (
            scope["type"] == "http"
            and len(headers.getlist("host")) == 1
            and self._hosts.accept(host)
            and ALLOWED.fullmatch(scope["path"]) is not None
        )
        if not is_expected:
            return JSONResponse({"detail": "not found"}, 404)
        if scope["method"] not in METHODS:
            return JSONResponse({"detail": "method not allowed"}, 405)
        if not _is_from_here(headers, host, scope["method"]):
            return JSONResponse({"detail": "another site may not use this page"}, 403)
        return None

    @contextmanager
    def _room(self, scope: Scope) -> Iterator[None]:
        client = scope.get("client")
        visitor = visitor_at(client[0] if client else None)
        with self._requests.taken_by(visitor):
            if scope["path"] not in PHOTO_ADDRESSES:
                yield
                return
            with self._uploads.taken_by(visitor):
                yield

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with its query and message reduced to what was checked."""
        if scope["path"] != PORTRAIT_ADDRESS:  # which refuses by itself what it does not know
            asked = parse_qsl(scope["query_string"].decode("latin-1"))
            query = urlencode([(name, value) for name, value in asked if name in QUERY_NAMES])
            scope = {**scope, "query_string": query.encode()}
        if scope["path"] in PHOTO_ADDRESSES:
            await self._app(scope, _limited(scope, receive, self._upload), send)
            return
        limited = _limited(scope, receive, self._message)
        if scope["method"] == "POST":
            body = await _whole(limited)
            host = Headers(scope=scope)["host"]
            checked = self._rules.checked(scope["path"], body, host)
            MutableHeaders(scope=scope)["content-length"] = str(len(checked))
            limited = _replayed(checked, receive)
        await self._app(scope, limited, send)


def _answer_to(error: Exception) -> Response | None:
    """Put in words why a request got no answer; None where nobody waits for one."""
    match error:
        case FullError():
            return JSONResponse({"detail": BUSY}, 503)
        case _TooMuchError():
            return JSONResponse({"detail": TOO_LARGE}, 413)
        case _TooSlowError():
            return JSONResponse({"detail": TOO_SLOW}, 408)
        case MessageError():
            return JSONResponse({"detail": f"the message {error}"}, 422)
        case ClientDisconnect():
            return None
    # Gradio's own, such as for a visit that it has forgotten
    logger.debug("a request was not answered", exc_info=error)
    return JSONResponse({"detail": FAILED}, 500)


def _is_from_here(headers: Headers, host: str, method: str) -> bool:
    """Tell from the headers that browsers add whether this page itself sent a request.

    A link from another site may open the page; nothing else of it may reach the page.
    """
    if not all(is_same_origin(origin, host) for origin in headers.getlist("origin")):
        return False
    is_link = headers.get("sec-fetch-mode") == "navigate" and method != "POST"
    return is_link or headers.get("sec-fetch-site", "none") in {"none", "same-origin"}


def _limited(scope: Scope, receive: Receive, body: BodyLimits) -> Receive:
    """Pass on a body until it is longer, or takes longer, than it may.

    Raises:
        _TooMuchError: at once where the length that is declared is too large, or none.
    """
    declared = Headers(scope=scope).get("content-length", "0")
    if not declared.isdecimal() or int(declared) > body.max_bytes:
        raise _TooMuchError
    num_received = 0
    is_complete = False
    ends_at = asyncio.get_running_loop().time() + body.seconds

    async def limited() -> Message:
        nonlocal num_received, is_complete
        if is_complete:  # what comes now is the end of the connection, whenever that is
            return await receive()
        left_seconds = ends_at - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(min(left_seconds, body.silence_seconds)):
                message = await receive()
        except TimeoutError:
            raise _TooSlowError from None
        num_received += len(message.get("body", b""))
        if num_received > body.max_bytes:
            raise _TooMuchError
        is_complete = not message.get("more_body", False)
        return message

    return limited


async def _whole(receive: Receive) -> bytes:
    pieces = []
    more_body = True
    while more_body:
        message = await receive()
        pieces.append(message.get("body", b""))
        more_body = message.get("more_body", False)
    return b"".join(pieces)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Hand on a body that was read, then whatever follows it."""
    is_handed_on = False

    async def replayed() -> Message:
        nonlocal is_handed_on
        if is_handed_on:
            return await receive()
        is_handed_on = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


class _Answer:
    """Sends what the page answers, with headers that keep the browser from leaking it."""

    def __init__(self, send: Send, private: bool) -> None:
        self._is_started = False
        self._send = send
        self._headers = HEADERS | ({"cache-control": "private, no-store"} if private else {})

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._is_started = True
            MutableHeaders(scope=message).update(self._headers)
        await self._send(message)

    async def instead(self, response: Response, scope: Scope) -> None:
        """Send another answer, unless one has begun; then close the connection.

        What is still on its way would be read as the next request.
        """
        if not self._is_started:
            response.headers["connection"] = "close"
            await response(scope, _nothing, self)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
