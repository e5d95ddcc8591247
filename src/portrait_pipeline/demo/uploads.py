"""Keeps uploads and portraits for a short time, each in a folder of its visitor.

Everything lies below one private folder, which is deleted when the page ends. What a page that was
killed left behind is deleted by the next one that starts.
"""

import hashlib
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Self

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from portrait_pipeline.demo.limits import (
    KEEP_SECONDS,
    MAX_STORED_BYTES,
    MAX_STORED_BYTES_OF_ONE,
    MAX_UPLOAD_BYTES,
)
from portrait_pipeline.demo.messages import FILE_ADDRESS
from portrait_pipeline.demo.visitors import visitor_at

UPLOAD_ADDRESS = "/gradio_api/upload"
ENDING = ".photo"
SHOWN_TYPES = {
    ".png": "image/png",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
}
"""What is shown in place; everything else, uploads among it, is only handed out."""
BUSY = "Many people are here at the moment. Please try again in a minute."
TOO_LARGE = f"This file is too large: at most {MAX_UPLOAD_BYTES // 1_000_000} MB, please."


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
    """The folder of photos and portraits. All names are chosen here, never by the client.

    Args:
        root: The page's private folder.
        max_bytes: Of all visitors together; more deletes the oldest files of whoever has most.
        max_bytes_of_one: Of one visitor; more deletes the oldest files of that visitor.
    """

    def __init__(
        self,
        root: Path,
        max_bytes: int = MAX_STORED_BYTES,
        max_bytes_of_one: int = MAX_STORED_BYTES_OF_ONE,
    ) -> None:
        self.root = root.resolve()
        self.folder = self.root / "visitors"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._max_bytes = max_bytes
        self._max_bytes_of_one = max_bytes_of_one
        self._salt = secrets.token_bytes(16)
        self._waiting: set[str] = set()
        self._lock = Lock()

    def keep(self, data: bytes, visitor: str) -> Path:
        """Write one upload under a name that cannot be guessed."""
        path = self._folder_of(visitor) / f"{secrets.token_hex(16)}{ENDING}"
        with self._lock:
            self._make_room(len(data), path.parent)
            path.write_bytes(data)
            self._waiting.add(str(path))
        return path

    def new_folder(self, visitor: str) -> Path:
        """Make a folder for the files of one answer, which the page may serve."""
        folder = self._folder_of(visitor) / secrets.token_hex(16)
        with self._lock:
            self._make_room(0, folder.parent)
            folder.mkdir()
        return folder

    def is_waiting(self, path: str) -> bool:
        """Tell whether this is the path of an upload that was not answered yet."""
        return path in self._waiting

    def take(self, path: str | None) -> Upload | None:
        """Read an upload, once; None for anything that is no upload waiting here."""
        if path is None or path not in self._waiting:
            return None
        self._waiting.discard(path)
        try:
            return Upload(Path(path).read_bytes(), Path(path))
        except OSError:
            return None

    def find_shown(self, path: str) -> Path | None:
        """Find a file that the page may show; None for whatever lies elsewhere."""
        try:
            found = Path(path).resolve(strict=True)
        except (OSError, ValueError):
            return None
        return found if found.is_relative_to(self.root) and found.is_file() else None

    def sweep(self, max_age_seconds: float = KEEP_SECONDS) -> None:
        """Delete files of visitors that are older than this."""
        oldest = time.time() - max_age_seconds
        with self._lock:
            for path, _, changed_at in _files(self.folder):
                if changed_at < oldest:
                    self._delete(path)
            for folder in sorted(self.folder.glob("**/"), reverse=True):
                if folder != self.folder and folder.lstat().st_mtime < oldest:
                    _remove_if_empty(folder)

    def _folder_of(self, visitor: str) -> Path:
        mark = hashlib.sha256(self._salt + visitor.encode()).hexdigest()[:16]
        folder = self.folder / mark
        folder.mkdir(exist_ok=True)
        return folder

    def _make_room(self, num_bytes: int, folder: Path) -> None:
        """Delete old files until another one fits, first of its own visitor."""
        self._shrink(folder, self._max_bytes_of_one - num_bytes)
        sizes = {other: _size(other) for other in self.folder.iterdir()}
        excess = sum(sizes.values()) + num_bytes - self._max_bytes
        while excess > 0 and any(sizes.values()):
            largest = max(sizes, key=lambda other: sizes[other])
            self._shrink(largest, sizes[largest] - 1)
            excess -= sizes[largest]
            sizes[largest] = _size(largest)
            excess += sizes[largest]

    def _shrink(self, folder: Path, max_bytes: int) -> None:
        files = sorted(_files(folder), key=lambda file: file[2])
        left = sum(size for _, size, _ in files)
        for path, size, _ in files:
            if left <= max_bytes:
                return
            self._delete(path)
            left -= size

    def _delete(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._waiting.discard(str(path))


def _files(folder: Path) -> list[tuple[Path, int, float]]:
    """List path, size in bytes and time of change of every file below a folder."""
    found = []
    for path in folder.rglob("*"):
        try:
            state = path.lstat()
        except FileNotFoundError:
            continue  # answered and deleted meanwhile
        if not path.is_dir():
            found.append((path, state.st_size, state.st_mtime))
    return found


def _size(folder: Path) -> int:
    return sum(size for _, size, _ in _files(folder))


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()


def upload_route(uploads: UploadFolder) -> Route:
    """Replace Gradio's upload route: take one file of limited size under a name chosen here."""

    async def upload(request: Request) -> Response:
        data = await _one_file(request)
        if data is None:
            return JSONResponse({"detail": "expected one file"}, status_code=400)
        if len(data) > MAX_UPLOAD_BYTES:
            return JSONResponse({"detail": TOO_LARGE}, status_code=413)
        visitor = visitor_at(request.client.host if request.client else None)
        return JSONResponse([str(uploads.keep(data, visitor))])

    return Route(UPLOAD_ADDRESS, upload, methods=["POST"])


async def _one_file(request: Request) -> bytes | None:
    """Read the file of a form, one byte more than it may have; None where there is not one."""
    try:
        async with request.form(max_files=1, max_fields=4) as form:
            files = [part for part in form.values() if not isinstance(part, str)]
            return await files[0].read(MAX_UPLOAD_BYTES + 1) if len(files) == 1 else None
    except ValueError:  # names in an encoding of the sender's choice, and all that it may raise
        return None


def progress_route() -> Route:
    """Tell the page, which asks for the progress of uploads, that nothing is to be awaited."""

    async def progress(request: Request) -> Response:
        del request  # the answer is the same for all
        return Response('data: {"msg": "done"}\n\n', media_type="text/event-stream")

    return Route("/gradio_api/upload_progress", progress, methods=["GET"])


def file_route(uploads: UploadFolder) -> Route:
    """Replace Gradio's file route: serve only files in the page's own folder."""

    async def file(request: Request) -> Response:
        path = uploads.find_shown(request.path_params["path"])
        try:
            data = b"" if path is None else path.read_bytes()
        except FileNotFoundError:  # deleted, as promised, while the browser was still asking
            path = None
        if path is None:
            return PlainTextResponse("not found", 404)
        kind = SHOWN_TYPES.get(path.suffix)
        if kind is None:
            attached = {"content-disposition": "attachment"}
            return Response(data, headers=attached, media_type="application/octet-stream")
        return Response(data, media_type=kind)

    return Route(f"{FILE_ADDRESS}{{path:path}}", file, methods=["GET"])
