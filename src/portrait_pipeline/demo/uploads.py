"""Photos on their way in: taken to a folder of their own, read once, deleted."""

import secrets
import time
from pathlib import Path
from typing import Any

import gradio
from gradio.data_classes import ImageData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from portrait_pipeline.demo.limits import KEEP_SECONDS, MAX_STORED_BYTES, MAX_UPLOAD_BYTES


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
        path = self.folder / f"{secrets.token_hex(16)}.photo"
        path.write_bytes(data)
        return path

    def new_folder(self) -> Path:
        """Make a folder for one answer's file, which the page may serve."""
        folder = self.root / secrets.token_hex(16)
        folder.mkdir()
        return folder

    def take(self, path: str | None) -> bytes | None:
        """Read an upload and delete it; None for anything that is no upload waiting here."""
        if not path:
            return None
        name = Path(path).name
        own = self.folder / name
        if Path(path) != own or not name.endswith(".photo"):
            return None
        try:
            data = own.read_bytes()
        except OSError:
            return None
        own.unlink(missing_ok=True)
        return data

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


BUSY = "Many people are here at the moment. Please try again in a minute."
TOO_LARGE = f"This file is too large: at most {MAX_UPLOAD_BYTES // 1_000_000} MB, please."


class PhotoUpload(gradio.Image):
    """Gradio's image field, which hands the bytes of the upload on instead of decoding them.

    Gradio's own would open the file before anybody could look at its size, and would also take
    pictures from data addresses and SVG.
    """

    is_template = True

    def __init__(self, uploads: UploadFolder, **settings: Any) -> None:
        self._uploads = uploads
        super().__init__(**settings)

    async def async_move_resource_to_block_cache(
        self, url_or_file_path: str | Path | None
    ) -> str | None:
        """Leave the upload where it is; fetch nothing from anywhere."""
        return None if url_or_file_path is None else str(url_or_file_path)

    def preprocess(  # type: ignore[override]  # the page's own code takes bytes, not pixels
        self, payload: ImageData | None
    ) -> bytes | None:
        """Return the upload's bytes, or None where the client names anything else."""
        return None if payload is None else self._uploads.take(payload.path)
