"""The page as it is put together: every event and every component of it, behind the gate."""

import contextlib
import inspect
import json
import re
import signal
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio
import httpx
import pytest
import requests
from gradio.components import Component
from starlette.testclient import TestClient
from support.stand_in_model import StandInShelf, stand_in_judge

from portrait_pipeline.demo import app as app_module
from portrait_pipeline.demo import words
from portrait_pipeline.demo.app import page_app, running_page, serve
from portrait_pipeline.demo.connections import guarded_connections
from portrait_pipeline.demo.hosts import HostNames
from portrait_pipeline.demo.page import NUM_EXAMPLES, Page
from portrait_pipeline.demo.service import PortraitService
from portrait_pipeline.demo.uploads import UploadFolder
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.process_environment import prepare_environment
from portrait_pipeline.signals import StoppedError

pytestmark = [  # both are Gradio's
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

META = {"meta": {"_type": "gradio.FileData"}}
FORGED = [
    {"path": "/etc/passwd", **META},
    {"path": "http://192.0.2.1/a.png", **META},
    {"path": "", "url": "http://192.0.2.1/a.png", **META},
    {"url": "data:image/png;base64,AAAA", **META},
    [{"image": {"path": "/etc/passwd", **META}, "caption": None}],
    {"text": "", "files": [{"path": "http://192.0.2.1/a.png", **META}]},
    {"background": {"path": "/etc/passwd", **META}, "layers": [], "composite": None},
    "http://192.0.2.1/a.png",
    "/etc/passwd",
]


def all_components() -> list[Component]:
    """One of every kind of component that Gradio can make without further arguments."""
    made = []
    for kind in vars(gradio).values():
        is_component = inspect.isclass(kind) and issubclass(kind, Component)
        if is_component and kind not in {Component, gradio.LoginButton}:  # that one needs a login
            try:
                made.append(kind())
            except (TypeError, ValueError, ImportError):
                continue
    return made


@pytest.fixture(scope="module", params=["the page", "every component"])
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """A page behind its gate: ours, and one that takes a value of every component."""
    uploads = UploadFolder(tmp_path_factory.mktemp("page"))
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patched:
        warnings.simplefilter("ignore")  # Gradio's own, of its own parts
        patched.setenv("GRADIO_TEMP_DIR", str(uploads.root))
        patched.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        if request.param == "the page":
            service = PortraitService(StandInShelf("proposed", "baseline"), stand_in_judge)
            page = Page(service, uploads).build()
        else:
            with gradio.Blocks(analytics_enabled=False) as page:
                gradio.Button().click(lambda *_: None, all_components(), None)
        app = page_app(page, uploads, HostNames())
        app.state.uploads, app.state.page = uploads, page
        with TestClient(app, base_url="http://127.0.0.1:7860") as client:
            yield client


def events(client: TestClient) -> list[dict[str, Any]]:
    """Every event of the page, by its own configuration."""
    found: list[dict[str, Any]] = client.get("/config").json()["dependencies"]
    assert found
    return found


def message(event: dict[str, Any], data: list[Any]) -> dict[str, Any]:
    return {"data": data, "fn_index": event["id"], "session_hash": "abc"}


def test_no_component_of_any_event_takes_a_path_or_an_address(client: TestClient) -> None:
    """Every value of every event is refused when it names what is no upload."""
    upload = str(client.app.state.uploads.keep(b"photo", "me"))
    elsewhere = {"path": upload, "url": "http://192.0.2.1/a.png", **META}
    tried = 0
    for event in events(client):
        for place in range(len(event["inputs"])):
            for value in [*FORGED, elsewhere]:
                data: list[Any] = [None] * len(event["inputs"])
                data[place] = value
                answer = client.post("/gradio_api/queue/join", json=message(event, data))
                assert answer.status_code == 422, (event["targets"], place, value)
                tried += 1
    assert tried >= 50


def test_no_endpoint_takes_a_path_or_an_address(client: TestClient) -> None:
    """Every address that Gradio serves, asked with forged messages, refuses or is not there."""
    body = message(events(client)[0], [FORGED[1]])
    paths = client.app.state.page.app.openapi()["paths"]
    assert {"/gradio_api/run/{api_name}", "/gradio_api/call/{api_name}"} <= set(paths)
    for path in paths:
        asked = re.sub(r"\{[^}]*(path|url)[^}]*\}", "http://192.0.2.1", path)
        asked = re.sub(r"\{[^}]*\}", "x", asked)
        for sent in (body, body | {"component_id": 1, "fn_name": "x", "data": FORGED[0]}):
            answer = client.post(asked, content=json.dumps(sent))
            assert 400 <= answer.status_code < 500, asked


def test_the_page_takes_its_own_messages(client: TestClient) -> None:
    """What is refused above is refused for its value: without it the same message is taken."""
    for event in events(client):
        data = [None] * len(event["inputs"])
        answer = client.post("/gradio_api/queue/join", json=message(event, data))
        assert answer.status_code == 200


@pytest.mark.parametrize("fn_index", [-1, 9999, 10**30, "0", 0.5, None, True, [], "/etc/passwd"])
def test_an_event_that_is_not_there_is_the_clients_fault(
    client: TestClient, fn_index: object
) -> None:
    """Every wrong number of an event is answered with 4xx, on every address that takes one."""
    sent = {"data": [], "fn_index": fn_index, "session_hash": "abc"}
    assert client.post("/gradio_api/queue/join", json=sent).status_code == 422
    sent = {"event_id": "a", "fn_index": fn_index, "session_hash": "abc"}
    assert client.post("/gradio_api/cancel", json=sent).status_code == 422


def test_examples_stay(client: TestClient) -> None:
    """The page's own pictures are there however long the page is open."""
    shown = json.dumps(client.get("/config").json()["components"])
    paths = [part.split('"')[0].split("?")[0] for part in shown.split("/gradio_api/file=")[1:]]
    own = [path for path in paths if path.startswith(str(client.app.state.uploads.root))]
    is_our_page = client.app.state.page.title == words.TITLE
    assert len(own) == (NUM_EXAMPLES if is_our_page else 0)
    client.app.state.uploads.sweep(-60.0)
    for path in own:
        assert client.get(f"/gradio_api/file={path}").status_code == 200


def test_other_sites_get_no_permission(client: TestClient) -> None:
    """No answer tells a browser that another site may read it."""
    for path in ("/", "/config", "/gradio_api/startup-events"):
        for origin in ("http://evil.example", "http://127.0.0.1:7860"):
            answer = client.get(path, headers={"origin": origin})
            assert "access-control-allow-origin" not in answer.headers


def test_a_silent_connection_to_the_page_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is served with a limit on the time of a request's header."""
    quick = guarded_connections(header_seconds=0.01)
    monkeypatch.setattr(app_module, "guarded_connections", lambda: quick)
    service = PortraitService(StandInShelf("proposed"), stand_in_judge)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Gradio's own, of its own parts
        with running_page(service, "127.0.0.1", 0) as address:
            port = int(address.rstrip("/").rpartition(":")[2])
            silent = socket.create_connection(("127.0.0.1", port), 20)
            with silent, contextlib.suppress(ConnectionResetError):
                assert silent.recv(1) == b""


@pytest.mark.parametrize("proxy", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_the_page_opens_behind_a_proxy(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens it on this machine reaches it directly, whatever proxy is set."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv(proxy, "http://127.0.0.1:9")  # nobody listens there
    prepare_environment()
    service = PortraitService(StandInShelf("proposed"), stand_in_judge)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Gradio's own, of its own parts
        with running_page(service, "127.0.0.1", 0) as address:
            assert httpx.get(address).status_code == 200
            assert requests.get(address, timeout=30).status_code == 200


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    """Before anything is started, in one sentence with a port to try."""
    service = PortraitService(StandInShelf(), stand_in_judge)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(PortraitPipelineError, match=f"--port {port}.*try --port {port + 1}"),
            running_page(service, "127.0.0.1", port),
        ):
            pass


@pytest.mark.parametrize("host", ["", "é..é", "\udcff", "nosuch.invalid", "a" * 300])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    """An empty one would open the page to the whole network."""
    service = PortraitService(StandInShelf(), stand_in_judge)
    with pytest.raises(PortraitPipelineError, match="--host"), running_page(service, host, 7860):
        pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_close_the_page(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever ends the page ends it in order; Ctrl-C is the ordinary way and no fault."""
    seen = []

    @contextmanager
    def page(*_: object) -> Iterator[str]:
        try:
            yield "http://127.0.0.1:7860/"
        finally:
            seen.append("closed")

    def wait(_: object) -> None:
        signal.raise_signal(number)

    monkeypatch.setattr(app_module, "running_page", page)
    monkeypatch.setattr(app_module.threading.Event, "wait", wait)
    is_ordinary = number == signal.SIGINT
    with contextlib.nullcontext() if is_ordinary else pytest.raises(StoppedError):
        serve(StandInShelf(), stand_in_judge, "127.0.0.1", 7860)
    assert seen == ["closed"]
