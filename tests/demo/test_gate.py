import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from portrait_pipeline.demo.gate import BodyLimits, Gate
from portrait_pipeline.demo.limits import (
    MAX_MESSAGE_BYTES,
    MAX_REQUESTS,
    MAX_REQUESTS_OF_ONE,
    MAX_UPLOAD_BYTES,
    MAX_UPLOADS,
    MAX_UPLOADS_OF_ONE,
)
from portrait_pipeline.demo.messages import MessageRules
from portrait_pipeline.demo.uploads import UploadFolder, file_route, upload_route

JOIN = "/gradio_api/queue/join"
UPLOAD = "/gradio_api/upload"
MESSAGE = {"data": [], "fn_index": 0, "session_hash": "a"}
HOST = "127.0.0.1:7860"


@pytest.fixture
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    async def everything(request: Request) -> Response:
        body = await request.body()
        return PlainTextResponse(f"inside {request.url.query} {body.decode()}".strip())

    uploads = UploadFolder(tmp_path_factory.mktemp("uploads"))
    app = Starlette(
        routes=[
            upload_route(uploads),
            file_route(uploads),
            Route("/{path:path}", everything, methods=["GET", "POST"]),
        ],
        middleware=[Middleware(Gate, rules=MessageRules({0: 0}, uploads.is_waiting))],
    )
    app.state.uploads = uploads
    return TestClient(app, base_url=f"http://{HOST}")


@pytest.mark.parametrize(
    "path",
    ["/", "/config", "/assets/a.js", "/gradio_api/queue/data", "/gradio_api/heartbeat/abc"],
)
def test_the_page_gets_in(client: TestClient, path: str) -> None:
    """What the page needs is let through, with headers that keep it to this machine."""
    answer = client.get(path)
    assert answer.text == "inside"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://169.254.169.254/latest",
        "/gradio_api/file=C:/secret",
        "/gradio_api/proxy=http://elsewhere/",
        "/gradio_api/info",
        "/gradio_api/run/answer_upload",
        "/gradio_api/call/answer_upload",
        "/gradio_api/openapi.json",
        "/gradio_api/vibe-code",
        "/monitoring",
        "/docs",
        f"/assets/{'a' * 300}.js",
        f"/static/{'a/' * 300}",
        "/login",
    ],
)
def test_everything_else_is_not_there(client: TestClient, path: str) -> None:
    """Addresses that the page does not need do not exist, whatever the server behind knows."""
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_not_there(client: TestClient, method: str) -> None:
    """A page is read and written to; preflights of other sites get no permission."""
    headers = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    answer = client.request(method, "/", headers=headers)
    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_only_the_own_name_is_answered(client: TestClient, host: str) -> None:
    """A foreign name that was pointed at this machine is not answered (DNS rebinding)."""
    assert client.get("/", headers={"host": host}).status_code == 404
    assert client.get("/", headers={"host": "localhost:7860"}).status_code == 200
    twice = [("host", HOST), ("host", host)]
    assert client.get("/", headers=twice).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:8888"},
        {"origin": "null"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
        {"origin": "http://evil.example", "sec-fetch-mode": "navigate"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", [UPLOAD, JOIN, "/gradio_api/queue/data", "/config", "/"])
def test_another_site_may_not_use_the_page(
    client: TestClient, path: str, headers: dict[str, str]
) -> None:
    """Neither posts nor requests for what the page shows may come from another site."""
    method = "POST" if path in {UPLOAD, JOIN} else "GET"
    answer = client.request(method, path, headers=headers, content=b"{}" if path == JOIN else None)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_no_form_and_no_second_name_of_another_site_comes_in(client: TestClient) -> None:
    """A form that another site sends is no link; among several origins none may be foreign."""
    sent = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.post(JOIN, json=MESSAGE, headers=sent).status_code == 403
    two = [("origin", f"http://{HOST}"), ("origin", "http://evil.example")]
    assert client.post(JOIN, json=MESSAGE, headers=two).status_code == 403


def test_the_page_may_use_itself_and_be_linked(client: TestClient) -> None:
    """The page's own requests come in, and so does whoever follows a link to it."""
    own = {"origin": f"http://{HOST}", "sec-fetch-site": "same-origin"}
    assert client.post(JOIN, json=MESSAGE, headers=own).status_code == 200
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/", headers=link).status_code == 200


def test_long_messages_are_cut_off(client: TestClient) -> None:
    """A body that says it is too long is refused unread; one that does not say is cut off."""
    assert client.post(JOIN, json=MESSAGE).status_code == 200
    assert client.post(JOIN, content=b"x" * (MAX_MESSAGE_BYTES + 1)).status_code == 413
    pieces = (b"x" * 10_000 for _ in range(20))
    assert client.post(JOIN, content=pieces).status_code == 413
    assert client.post(JOIN, headers={"content-length": "-5"}, content=b"x").status_code == 413


def test_messages_are_checked_before_the_page_sees_them(client: TestClient) -> None:
    """The page sees a message written anew; one that is not expected it never sees."""
    seen = client.post(JOIN, json=MESSAGE | {"event_data": "http://192.0.2.1"}).text
    assert '"event_data":null' in seen
    refused = client.post(JOIN, json=MESSAGE | {"fn_index": 99})
    assert refused.status_code == 422
    assert refused.json()["detail"] == "the message names an event that the page does not have"
    assert client.post("/config", content=b"{}").status_code == 422


def test_only_known_questions_are_asked(client: TestClient) -> None:
    """Of a query only what the page uses reaches Gradio, which would also take names of files."""
    asked = {"session_hash": "a b", "deep_link": "../../secret", "url": "http://192.0.2.1"}
    assert client.get("/config", params=asked).text == "inside session_hash=a+b"


def test_a_file_that_is_gone_is_no_failure(client: TestClient) -> None:
    """The preview of an upload that was answered and deleted meanwhile ends quietly."""
    assert client.get("/gradio_api/file=/gone").status_code == 404


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.png", "image/png"), ("a.photo", None), ("a.svg", None), ("a.html", None)],
)
def test_only_pictures_are_shown_in_place(client: TestClient, name: str, kind: str | None) -> None:
    """What a visitor sent is never shown as a page or a drawing with scripts."""
    path = client.app.state.uploads.new_folder("me") / name
    path.write_bytes(b"<svg/>")
    answer = client.get(f"/gradio_api/file={path}")
    assert answer.headers["content-type"] == (kind or "application/octet-stream")
    assert ("attachment" in answer.headers.get("content-disposition", "")) is (kind is None)
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/proc/self/environ", "{root}/../x", "{root}", "{root}/%00", "//etc"]
)
def test_no_other_file_is_handed_out(client: TestClient, path: str) -> None:
    """Files outside the page's own folder do not exist."""
    root = client.app.state.uploads.root
    assert client.get("/gradio_api/file=" + path.format(root=root)).status_code == 404


def test_an_upload_gets_a_name_of_ours(client: TestClient) -> None:
    """The client's file name is used nowhere; the same bytes twice are two files."""
    folder = client.app.state.uploads.folder
    for _ in range(2):
        sent = {"files": ("../../evil.svg", b"data", "image/svg+xml")}
        (path,) = client.post(UPLOAD, files=sent).json()
        assert path.startswith(str(folder))
        assert "evil" not in path
    assert len(list(folder.rglob("*.photo"))) == 2


def test_large_and_odd_uploads_are_refused(client: TestClient) -> None:
    """Too many bytes, no file or several files: an answer in words, and nothing is kept."""
    large = {"files": ("a.png", b"x" * (MAX_UPLOAD_BYTES + 1), "image/png")}
    assert client.post(UPLOAD, files=large).status_code == 413
    huge = {"files": ("a.png", b"x" * (MAX_UPLOAD_BYTES + 50_000), "image/png")}
    assert "too large" in client.post(UPLOAD, files=huge).json()["detail"]
    assert client.post(UPLOAD, data={"a": "b"}).status_code == 400
    two = [("files", ("a.png", b"1", "image/png")), ("files", ("b.png", b"2", "image/png"))]
    assert client.post(UPLOAD, files=two).status_code == 400
    assert list(client.app.state.uploads.folder.iterdir()) == []


@pytest.mark.parametrize("charset", ["undefined", "punycode", "idna", "zlib", "utf-16", "no"])
def test_a_form_in_an_odd_encoding_is_kept_or_refused(client: TestClient, charset: str) -> None:
    """Whatever encoding a form says that its names are in: an answer in words, and no failure."""
    body = b'--X\r\nContent-Disposition: form-data; name="\xff-."\r\n\r\nx\r\n'
    body += b'--X\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\nx\r\n--X--\r\n'
    kind = {"content-type": f"multipart/form-data; boundary=X; charset={charset}"}
    assert client.post(UPLOAD, content=body, headers=kind).status_code in (200, 400)


class Visit:
    """One request as a server hands it to an app; its body comes piece by piece, or never."""

    def __init__(self, path: str, visitor: str, pieces: Iterable[bytes] = ()) -> None:
        self.status: int | None = None
        self._pieces = iter(pieces)
        self.scope: Scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": [(b"host", HOST.encode())],
            "client": (visitor, 1),
        }

    async def receive(self) -> Message:
        for piece in self._pieces:
            await asyncio.sleep(0)
            return {"type": "http.request", "body": piece, "more_body": True}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Message) -> None:
        self.status = message.get("status", self.status)


def gate(**options: Any) -> Gate:
    """A gate before an app that reads the whole body."""

    async def app(scope: Scope, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        while (await receive()).get("more_body"):
            pass
        await PlainTextResponse("inside")(scope, receive, send)

    return Gate(app, MessageRules({}, lambda _: False), **options)


def endless() -> Iterator[bytes]:
    while True:
        yield b""


@pytest.mark.parametrize("path", [UPLOAD, JOIN])
@pytest.mark.parametrize(
    ("pieces", "limits"),
    [
        ((), BodyLimits(100, seconds=60.0, silence_seconds=0.01)),
        ([b"a", b"b"], BodyLimits(100, seconds=60.0, silence_seconds=0.01)),
        ((), BodyLimits(100, seconds=0.01)),
        (endless(), BodyLimits(100, seconds=0.01)),
    ],
    ids=["silent", "silent after a while", "slow", "drop by drop"],
)
def test_a_body_must_come_in_time(path: str, pieces: Iterable[bytes], limits: BodyLimits) -> None:
    """Silence and dripping both end; the place is free again."""
    asked = Visit(path, "192.0.2.1", pieces)

    async def visit() -> None:
        door = gate(upload=limits, message=limits)
        await asyncio.wait_for(door(asked.scope, asked.receive, asked.send), 10.0)

    asyncio.run(visit())
    assert asked.status == 408


@pytest.mark.parametrize(
    ("path", "of_one", "total"),
    [(UPLOAD, MAX_UPLOADS_OF_ONE, MAX_UPLOADS), (JOIN, MAX_REQUESTS_OF_ONE, MAX_REQUESTS)],
)
def test_one_visitor_cannot_shut_the_page(path: str, of_one: int, total: int) -> None:
    """Requests that never end take the room of their own visitor, and of nobody else."""

    async def crowd() -> tuple[list[int | None], int | None, int | None]:
        door = gate()
        silent = [Visit(path, "192.0.2.1") for _ in range(total + 1)]
        running = [asyncio.create_task(door(v.scope, v.receive, v.send)) for v in silent]
        await asyncio.sleep(0)
        other = Visit("/config", "192.0.2.2")
        other.scope["method"] = "GET"

        async def no_body() -> Message:
            return {"type": "http.request", "body": b""}

        await door(other.scope, no_body, other.send)
        neighbour = Visit(path, "192.0.2.3")
        task = asyncio.create_task(door(neighbour.scope, neighbour.receive, neighbour.send))
        await asyncio.sleep(0)
        for one in [*running, task]:
            one.cancel()
        await asyncio.gather(*running, task, return_exceptions=True)
        return [v.status for v in silent], other.status, neighbour.status

    statuses, other, neighbour = asyncio.run(crowd())
    assert statuses.count(None) == of_one  # they wait; all others were refused at once
    assert set(statuses) == {None, 503}
    assert other == 200
    assert neighbour is None


@pytest.mark.parametrize("is_started", [False, True])
@pytest.mark.parametrize("error", [RuntimeError, OSError, ClientDisconnect, ExceptionGroup])
def test_what_the_page_raises_ends_one_request_in_silence(
    error: type[Exception], is_started: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The visitor gets words, unless an answer has begun or nobody waits; no log is flooded."""

    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        if is_started:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error("a", [ValueError()]) if error is ExceptionGroup else error

    visit = Visit("/config", "visitor")
    visit.scope["method"] = "GET"
    asyncio.run(
        Gate(fail, MessageRules({}, lambda _: False))(visit.scope, visit.receive, visit.send)
    )
    expected = 200 if is_started else None if error is ClientDisconnect else 500
    assert visit.status == expected
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG]
