"""Serves the page, by default to this machine only and without Gradio's extra services."""

import logging
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import gradio
import uvicorn
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from portrait_pipeline.demo import words
from portrait_pipeline.demo.connections import guarded_connections
from portrait_pipeline.demo.gate import Gate
from portrait_pipeline.demo.hosts import HostNames
from portrait_pipeline.demo.limits import (
    MAX_SESSIONS,
    MAX_UPLOAD_BYTES,
    MAX_WAITING,
    MAX_WAITING_OF_ONE,
    SWEEP_SECONDS,
)
from portrait_pipeline.demo.messages import MessageRules, num_inputs_of_events
from portrait_pipeline.demo.page import Page
from portrait_pipeline.demo.private_folder import private_folder
from portrait_pipeline.demo.rest import portrait_route
from portrait_pipeline.demo.service import ModelShelf, PortraitService
from portrait_pipeline.demo.uploads import UploadFolder, file_route, progress_route, upload_route
from portrait_pipeline.demo.visitors import Places
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.portrayal.similarity import LoadJudge
from portrait_pipeline.signals import StoppedError, stopping_in_order

logger = logging.getLogger(__name__)

FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif"]
MAX_CONNECTIONS_WAITING = 128


def serve(
    shelf: ModelShelf,
    load_judge: LoadJudge | None,
    host: str,
    port: int,
    allowed_hosts: Sequence[str] = (),
) -> None:
    """Serve the page until Ctrl-C, SIGTERM or SIGHUP; then delete what visitors sent.

    Args:
        shelf: The trained models.
        load_judge: Loads the judge for the margin and the teachers that it is given; None for none.
        host: Address to listen at; 127.0.0.1 keeps strangers out.
        port: Where to listen.
        allowed_hosts: Further names under which the page may be called.

    Raises:
        PortraitPipelineError: if the page cannot listen there.
        StoppedError: after SIGTERM and SIGHUP; Ctrl-C is the ordinary end.
    """
    service = PortraitService(shelf, load_judge)
    try:
        with stopping_in_order(), running_page(service, host, port, allowed_hosts) as address:
            logger.info("the page is open at %s (Ctrl-C ends it)", address)
            threading.Event().wait()
    except StoppedError as stopped:
        if stopped.signal_name != "SIGINT":
            raise


@contextmanager
def running_page(
    service: PortraitService, host: str, port: int, allowed_hosts: Sequence[str] = ()
) -> Iterator[str]:
    """Serve the page in threads while the block runs; yields its address."""
    with (
        _listening(host, port) as listener,
        private_folder() as root,
        _environment(str(root)),
    ):
        uploads = UploadFolder(root)
        waiting = Places(MAX_WAITING, MAX_WAITING_OF_ONE)
        page = Page(service, uploads, waiting).build()
        rest = portrait_route(service, waiting)
        app = page_app(page, uploads, HostNames(host, allowed_hosts), [rest])
        with _swept(uploads), _served(app, listener):
            try:
                shown = f"[{host}]" if ":" in host else host
                yield f"http://{shown}:{listener.getsockname()[1]}/"
            finally:
                page.close(verbose=False)


def page_app(
    page: gradio.Blocks,
    uploads: UploadFolder,
    hosts: HostNames,
    more_routes: Sequence[Route] = (),
) -> FastAPI:
    """Put the gate and our own routes for files, and more, before a Gradio page."""
    rules = MessageRules(num_inputs_of_events(page.get_config_file()), uploads.is_waiting)
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        routes=[upload_route(uploads), progress_route(), file_route(uploads), *more_routes],
        middleware=[
            Middleware(Gate, rules=rules, hosts=hosts),
            # Allows no other origin; without it Gradio would allow every one.
            Middleware(CORSMiddleware),
        ],
    )
    page.state_session_capacity = MAX_SESSIONS
    page.has_launched = True  # from then on Gradio, too, looks at the paths that it is given
    gradio.mount_gradio_app(
        app,
        page,
        path="/",
        footer_links=[],
        run_history=False,
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
        show_error=False,
        max_file_size=MAX_UPLOAD_BYTES,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=gradio.themes.Soft(font=FONTS, font_mono=["ui-monospace", "monospace"]),
        css=words.STYLE,
    )
    return app


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if not host:
        raise PortraitPipelineError(
            "--host is empty, expected an address of this machine, such as 127.0.0.1; 0.0.0.0 opens"
            " the page to your network"
        )
    try:
        host.encode("idna")  # as the system does, which leaves a socket behind where it fails
        listener = socket.create_server(
            (host, port), family=family, backlog=MAX_CONNECTIONS_WAITING
        )
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PortraitPipelineError(
            f"the page cannot listen at --host {host} --port {port} ({reason}),"
            f" expected an address of this machine and a free port; try --port {port % 65535 + 1}"
        ) from error
    with listener:
        yield listener


@contextmanager
def _served(app: FastAPI, listener: socket.socket) -> Iterator[None]:
    config = uvicorn.Config(
        app,
        http=guarded_connections(),
        ws="none",
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="page")
    thread.start()
    try:
        while not server.started and thread.is_alive():
            thread.join(0.01)
        if not server.started:
            raise PortraitPipelineError("the page could not be started; -v shows why")
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def _swept(uploads: UploadFolder) -> Iterator[None]:
    """Delete old photos and portraits while the block runs, even if nobody visits."""
    ended = threading.Event()

    def sweep() -> None:
        while not ended.wait(SWEEP_SECONDS):
            uploads.sweep()

    thread = threading.Thread(target=sweep, name="sweep", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def _environment(root: str) -> Iterator[None]:
    """Tell Gradio where to keep its files, and to contact no other machine."""
    ours = {
        "GRADIO_TEMP_DIR": root,
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_SHARE": "False",
        "GRADIO_RUN_HISTORY": "False",
        "HF_HUB_OFFLINE": "1",
    }
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
