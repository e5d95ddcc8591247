"""Photos on their way in: taken to a folder of their own, read once, deleted."""

import secrets
import time
from abc import ABCMeta
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import gradio
from gradio.data_classes import ImageData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from portrait_pipeline.demo.limits import KEEP_SECONDS, MAX_STORED_BYTES, MAX_UPLOAD_BYTES

ENDING = ".photo"


@dataclass(frozen=True)
class Upload:
    """The bytes of an upload; its file is deleted when the `with` block that answers it ends."""

    data: bytes
    path: Path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.path.unlink(missing_ok=True)


class UploadFolder:
    """Where uploads lie between their arrival and their answer. Names are ours, never the client's.

    Args:
        root: The page's own temporary folder; uploads and portraits lie below it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.folder = self.root / "uploads"
        self.folder.mkdir(parents=True, exist_ok=True)

    def keep(self, data: bytes) -> Path:
        """Write one upload under a name that cannot be guessed."""
        path = self.folder / f"{secrets.token_hex(16)}{ENDING}"
        path.write_bytes(data)
        return path

    def new_folder(self) -> Path:
        """Make a folder for one answer's file, which the page may serve."""
        folder = self.root / secrets.token_hex(16)
        folder.mkdir()
        return folder

    def take(self, path: str | None) -> "Upload | None":
        """Read an upload; None for anything that is no upload waiting here."""
        if not path:
            return None
        own = self.folder / Path(path).name
        if Path(path) != own or own.suffix != ENDING:
            return None
        try:
            return Upload(own.read_bytes(), own)
        except OSError:
            return None

    def sweep(self, max_age_seconds: float = KEEP_SECONDS) -> int:
        """Delete everything older than that and return the bytes that are left."""
        oldest = time.time() - max_age_seconds
        left = 0
        for path in list(self.root.rglob("*")):
            try:
                state = path.lstat()
                is_old = state.st_mtime < oldest
                if path.is_dir():
                    if is_old and path != self.folder:
                        path.rmdir()
                elif is_old:
                    path.unlink()
                else:
                    left += state.st_size
            except OSError:
                continue  # not empty yet, or another request deleted it meanwhile
        return left


def upload_route(uploads: UploadFolder) -> Route:
    """Take the place of Gradio's upload: one file, of limited size, under a name of ours."""

    async def upload(request: Request) -> Response:
        if uploads.sweep() > MAX_STORED_BYTES:
            return JSONResponse({"detail": BUSY}, status_code=503)
        async with request.form(max_files=1, max_fields=4) as form:
            files = [part for part in form.values() if not isinstance(part, str)]
            if len(files) != 1:
                return JSONResponse({"detail": "expected one file"}, status_code=400)
            data = await files[0].read(MAX_UPLOAD_BYTES + 1)
        if len(data) > MAX_UPLOAD_BYTES:
            return JSONResponse({"detail": TOO_LARGE}, status_code=413)
        return JSONResponse([str(uploads.keep(data))])

    return Route("/gradio_api/upload", upload, methods=["POST"])


def progress_route() -> Route:
    """Tell the page, which asks while it uploads, that there is nothing to wait for."""

    async def progress(request: Request) -> Response:
        del request  # the answer is the same for all
        return Response('data: {"msg": "done"}\n\n', media_type="text/event-stream")

    return Route("/gradio_api/upload_progress", progress, methods=["GET"])


BUSY = "Many people are here at the moment. Please try again in a minute."
TOO_LARGE = f"This file is too large: at most {MAX_UPLOAD_BYTES // 1_000_000} MB, please."


class _WritesNoStub(type(gradio.Image)):  # type: ignore[misc]  # a metaclass is made at run time
    """Gradio's metaclass writes a stub file beside every subclass of a component; this does not."""

    def __new__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> type:
        return ABCMeta.__new__(cls, name, bases, attributes)


class PhotoUpload(gradio.Image, metaclass=_WritesNoStub):
    """Gradio's image field, which hands the upload on instead of decoding them.

    Gradio's own would open the file before anybody could look at its size, and would also take
    pictures from data addresses and SVG.

    Attributes:
        uploads: Where uploads lie; without it nothing is taken.
    """

    is_template = True
    uploads: UploadFolder | None = None

    async def async_move_resource_to_block_cache(
        self, url_or_file_path: str | Path | None
    ) -> str | None:
        """Leave the upload where it is; fetch nothing from anywhere."""
        return None if url_or_file_path is None else str(url_or_file_path)

    def preprocess(  # type: ignore[override]  # the page takes bytes, not pixels
        self, payload: ImageData | None
    ) -> Upload | None:
        """Return the upload, or None where the client names anything else."""
        if payload is None or self.uploads is None:
            return None
        return self.uploads.take(payload.path)
