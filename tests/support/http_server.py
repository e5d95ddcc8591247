"""A web server on 127.0.0.1 that misbehaves as told: for every test that fetches something."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    """One answer; `cut_after` bytes of its body the connection is dropped."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/octet-stream"
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    ranges: bool = True


@dataclass(frozen=True)
class Request:
    """What a client asked: path with query, and its headers."""

    path: str
    headers: dict[str, str]


class HostileServer:
    """Serves each path's answers in turn, the last one repeatedly, and remembers every request."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[Request] = []
        self._answers: dict[str, list[Answer]] = {}

    def serve(self, path: str, *answers: Answer | bytes) -> str:
        """Set the answers of a path (bytes stand for a plain answer) and return its address."""
        self._answers[path] = [
            answer if isinstance(answer, Answer) else Answer(answer) for answer in answers
        ]
        return self.url + path

    def next_answer(self, request: Request) -> Answer:
        """Take the answer whose turn it is; 404 where none was set."""
        self.requests.append(request)
        answers = self._answers.get(urlsplit(request.path).path, [Answer(status=404)])
        return answers.pop(0) if len(answers) > 1 else answers[0]


class _Handler(BaseHTTPRequestHandler):
    hostile: HostileServer

    def do_GET(self) -> None:
        answer = self.hostile.next_answer(Request(self.path, dict(self.headers)))
        etag = f'"{hashlib.sha256(answer.body).hexdigest()[:16]}"'
        start = self._start(answer, etag)
        self.send_response(206 if start else answer.status)
        headers = {
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.body) - start),
        }
        if answer.ranges:
            headers["ETag"] = etag
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(answer.body) - 1}/{len(answer.body)}"
        for name, value in (headers | answer.headers).items():
            self.send_header(name, value)
        self.end_headers()
        stop = None if answer.cut_after is None else start + answer.cut_after
        self.wfile.write(answer.body[start:stop])

    def _start(self, answer: Answer, etag: str) -> int:
        wanted = self.headers.get("Range", "")
        if not (answer.ranges and answer.status == 200 and wanted):
            return 0
        if self.headers.get("If-Range", etag) != etag:
            return 0
        return int(wanted.removeprefix("bytes=").removesuffix("-"))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        """Keep quiet."""


@contextmanager
def hostile_http_server() -> Iterator[HostileServer]:
    """Run a hostile server while the block runs; all its threads and sockets end with it."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = False
        handler.hostile = HostileServer(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield handler.hostile
        finally:
            server.shutdown()
            thread.join()
