import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from portrait_pipeline.demo.gate import Gate
from portrait_pipeline.demo.limits import MAX_MESSAGE_BYTES, MAX_UPLOAD_BYTES
from portrait_pipeline.demo.uploads import UploadFolder, upload_route


@pytest.fixture
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    async def everything(request: Request) -> Response:
        await request.body()
        return PlainTextResponse("inside")

    async def gone(request: Request) -> Response:
        raise FileNotFoundError

    uploads = UploadFolder(tmp_path_factory.mktemp("uploads"))
    app = Starlette(
        routes=[
            upload_route(uploads),
            Route("/gradio_api/file=/gone", gone),
            Route("/{path:path}", everything, methods=["GET", "POST"]),
        ],
        middleware=[Middleware(Gate)],
    )
    app.state.uploads = uploads
    return TestClient(app, base_url="http://127.0.0.1:7860")


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
        "/login",
    ],
)
def test_everything_else_is_not_there(client: TestClient, path: str) -> None:
    """Addresses that the page does not need do not exist, whatever the server behind knows."""
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_only_the_own_name_is_answered(client: TestClient, host: str) -> None:
    """A foreign name that was pointed at this machine is not answered (DNS rebinding)."""
    assert client.get("/", headers={"host": host}).status_code == 404
    assert client.get("/", headers={"host": "localhost:7860"}).status_code == 200


def test_long_messages_are_cut_off(client: TestClient) -> None:
    """A body that says it is too long is refused unread; one that does not say is cut off."""
    path = "/gradio_api/queue/join"
    assert client.post(path, content=b"x" * 100).status_code == 200
    assert client.post(path, content=b"x" * (MAX_MESSAGE_BYTES + 1)).status_code == 413
    pieces = (b"x" * 10_000 for _ in range(20))
    assert client.post(path, content=pieces).status_code == 413
    assert client.post(path, headers={"content-length": "-5"}, content=b"x").status_code == 413


def test_a_file_that_is_gone_is_no_failure(client: TestClient) -> None:
    """The preview of an upload that was answered and deleted meanwhile ends quietly."""
    assert client.get("/gradio_api/file=/gone").status_code == 404


def test_an_upload_gets_a_name_of_ours(client: TestClient) -> None:
    """The client's file name is used nowhere; the same bytes twice are two files."""
    folder = client.app.state.uploads.folder
    for _ in range(2):
        sent = {"files": ("../../evil.svg", b"data", "image/svg+xml")}
        (path,) = client.post("/gradio_api/upload", files=sent).json()
        assert path.startswith(str(folder))
        assert "evil" not in path
    assert len(list(folder.iterdir())) == 2


def test_large_and_odd_uploads_are_refused(client: TestClient) -> None:
    """Too many bytes, no file or several files: an answer in words, and nothing is kept."""
    upload = "/gradio_api/upload"
    large = {"files": ("a.png", b"x" * (MAX_UPLOAD_BYTES + 1), "image/png")}
    assert client.post(upload, files=large).status_code == 413
    huge = {"files": ("a.png", b"x" * (MAX_UPLOAD_BYTES + 50_000), "image/png")}
    assert "too large" in client.post(upload, files=huge).json()["detail"]
    assert client.post(upload, data={"a": "b"}).status_code == 400
    two = [("files", ("a.png", b"1", "image/png")), ("files", ("b.png", b"2", "image/png"))]
    assert client.post(upload, files=two).status_code == 400
    assert list(client.app.state.uploads.folder.iterdir()) == []
