"""Files and folders that appear whole: written beside, flushed to the disk, then renamed.

Whoever reads finds the old content or the new one, at whatever moment the writer is killed, the
disk fills or the power fails. What is being written has a hidden name of its own (`.`, 32
hexadecimal digits, `.part`), so that two writers never share it and a long name stays within what
file systems allow.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from portrait_pipeline.errors import PortraitPipelineError

HASH_ENDING = ".sha256"
PNG_END = b"IEND\xaeB`\x82"
_HASH_BLOCK_BYTES = 1 << 20
_PART = re.compile(r"\.[0-9a-f]{32}\.part")
_HASH_LINE = re.compile(r"([0-9a-f]{64}) [ *].*")


class DamagedFileError(PortraitPipelineError):
    """A file whose content is not what its writer noted beside it."""


def part_beside(path: Path) -> Path:
    """Return an unused hidden name in the folder of `path`, which is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{uuid4().hex}.part")


@contextmanager
def open_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` when the block ends without an error."""
    part = part_beside(path)
    try:
        with part.open("xb") as file:
            yield file
        put_in_place(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there complete or not at all."""
    with open_whole(path) as file:
        file.write(content)


def write_one_of_many(path: Path, content: bytes) -> None:
    """Write a file whole without waiting for the disk: whoever reads it must notice a power cut.

    For thousands of files that are made again when one is torn; waiting takes 5 ms for each.
    """
    part = part_beside(path)
    try:
        part.write_bytes(content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Hand out an empty folder that takes the place of `folder` when the block ends without error.

    A folder that is there already is replaced; see `restore_folder`.
    """
    part = part_beside(folder)
    part.mkdir()
    try:
        yield part
        put_in_place(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def is_whole_png(path: Path) -> bool:
    """Tell whether a PNG is there down to its last chunk."""
    try:
        with path.open("rb") as file:
            file.seek(-len(PNG_END), os.SEEK_END)
            return file.read() == PNG_END
    except OSError:  # not there, or shorter than its end
        return False


def put_in_place(part: Path, target: Path) -> None:
    """Flush a finished file or folder to the disk and give it its name, which lasts."""
    if part.is_dir():
        if hasattr(os, "sync"):  # not on Windows
            os.sync()  # one call for all files below; a flush of each takes seconds for a thousand
        old = _old(target)
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            os.replace(target, old)
        os.replace(part, target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        _flush(part)
        os.replace(part, target)
    _flush(target.parent)


def restore_folder(folder: Path) -> None:
    """Put the old folder back if a process died between its removal and its replacement."""
    if _old(folder).exists() and not folder.exists():
        os.replace(_old(folder), folder)


def remove_unfinished(folder: Path) -> None:
    """Free what killed processes have left in a folder in which nobody else writes now."""
    if not folder.is_dir():
        return
    for path in list(folder.iterdir()):
        if _PART.fullmatch(path.name):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def parse_json(text: str | bytes) -> Any:
    """Parse JSON that may be damaged.

    Raises:
        ValueError: whatever is wrong with it, nesting too deep for the parser included.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def hash_beside(path: Path) -> Path:
    """Return where the hash of a file is noted: lines as `sha256sum` writes them."""
    return path.with_name(path.name + HASH_ENDING)


def write_hashed(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a file and put it in its place with its SHA-256 beside it.

    While an older file is replaced, both hashes are noted: whichever of the two lies there when the
    process is killed is whole and known.

    Args:
        path: The file; its folder is made.
        write: Gets the path to write to: the same file name in a hidden folder beside.
    """
    part = part_beside(path)
    part.mkdir()
    try:
        fresh = part / path.name
        write(fresh)
        line = f"{sha256_of(fresh)}  {path.name}\n"
        old = (_noted_hashes(path) or [sha256_of(path)]) if path.is_file() else []
        before = "".join(f"{digest}  {path.name}\n" for digest in old)
        write_whole(hash_beside(path), (line + before).encode())
        put_in_place(fresh, path)
        if before:
            write_whole(hash_beside(path), line.encode())
    finally:
        shutil.rmtree(part, ignore_errors=True)


def check_hash(path: Path, required: bool = False) -> None:
    """Compare a file with the SHA-256 beside it.

    Args:
        path: The file.
        required: Refuse a file that has no hash beside it.

    Raises:
        DamagedFileError: if it differs, or the hash itself is damaged or missing though required.
    """
    noted = _noted_hashes(path)
    beside = hash_beside(path)
    if noted is None:
        if required:
            raise DamagedFileError(
                f"{path} has no {beside.name} beside it, so that nothing says that it is whole"
            )
        return
    if not noted:
        raise DamagedFileError(
            f"{beside} holds no SHA-256, so that nothing says that {path.name} is whole"
        )
    found = sha256_of(path)
    if found not in noted:
        raise DamagedFileError(
            f"{path} is damaged: its SHA-256 is {found[:12]}…, expected {noted[0][:12]}…"
        )


def _noted_hashes(path: Path) -> list[str] | None:
    """Read the hashes beside a file; none where the note is damaged, None where there is none."""
    try:
        text = hash_beside(path).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError:  # a folder in its place, or not to be read
        return []
    lines = [_HASH_LINE.fullmatch(line) for line in text.splitlines()]
    return [line[1] for line in lines if line]


def _old(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _flush(path: Path) -> None:
    """Make the content of a file, or the names in a folder, outlive a power cut."""
    if os.name == "nt" and path.is_dir():  # Windows opens no folder
        return
    # Windows flushes what is open for writing only
    opened = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
