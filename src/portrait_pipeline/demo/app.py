"""Serve the page: on this machine alone, with Gradio's extras off."""

import logging
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import gradio
from starlette.middleware import Middleware

from portrait_pipeline.demo import words
from portrait_pipeline.demo.gate import LOOPBACK, Gate
from portrait_pipeline.demo.limits import MAX_SESSIONS, MAX_UPLOAD_BYTES
from portrait_pipeline.demo.page import Page
from portrait_pipeline.demo.service import ModelShelf, PortraitService
from portrait_pipeline.demo.uploads import UploadFolder, progress_route, upload_route
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.portrayal.similarity import JudgeOfFaces

logger = logging.getLogger(__name__)

FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif"]


def serve(
    shelf: ModelShelf, load_judge: Callable[[float], JudgeOfFaces], host: str, port: int
) -> None:
    """Serve the page until Ctrl-C.

    Args:
        shelf: The trained models.
        load_judge: Loads the judge for crops with the margin that it is given.
        host: Address to listen at; 127.0.0.1 keeps strangers out.
        port: Where to listen.

    Raises:
        PortraitPipelineError: if the port is taken.
    """
    with running_page(PortraitService(shelf, load_judge), host, port) as address:
        logger.info("the page is open at %s (Ctrl-C ends it)", address)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


@contextmanager
def running_page(service: PortraitService, host: str, port: int) -> Iterator[str]:
    """Serve the page in threads while the block runs; yields its address."""
    with tempfile.TemporaryDirectory(prefix="portraits-") as root, _environment(root):
        uploads = UploadFolder(Path(root))
        page = Page(service, uploads).build()
        try:
            _, address, _ = page.launch(
                server_name=host,
                server_port=port,
                share=False,
                quiet=True,
                show_error=False,
                prevent_thread_lock=True,
                inbrowser=False,
                theme=gradio.themes.Soft(font=FONTS, font_mono=["ui-monospace", "monospace"]),
                css=words.STYLE,
                footer_links=[],
                run_history=False,
                max_file_size=MAX_UPLOAD_BYTES,
                state_session_capacity=MAX_SESSIONS,
                enable_monitoring=False,
                ssr_mode=False,
                pwa=False,
                mcp_server=False,
                app_kwargs={
                    "docs_url": None,
                    "redoc_url": None,
                    "openapi_url": None,
                    "routes": [upload_route(uploads), progress_route()],
                    "middleware": [Middleware(Gate, hosts={*LOOPBACK, host})],
                },
            )
        except OSError as error:
            raise PortraitPipelineError(
                f"--port {port} is taken ({error}), expected a free one; try --port {port + 1}"
            ) from error
        try:
            yield address
        finally:
            page.close(verbose=False)


@contextmanager
def _environment(root: str) -> Iterator[None]:
    """Tell Gradio where its files go, and to talk to nobody."""
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
