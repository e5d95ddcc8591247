"""Unpacks untrusted archives: no member leaves the folder or fills the disk."""

import bz2
import gzip
import io
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

CHUNK_BYTES = 2**20
MAX_READ_BYTES = 16 * 2**20
_SPOILT = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # a compression that zipfile does not know
    UnicodeError,
)
_DECOMPRESSORS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}


class ArchiveError(ValueError):
    """An archive that is refused; the message ends a sentence that names the archive."""


@dataclass(frozen=True)
class Limits:
    """Limits on the unpacked size, far above any set of pictures."""

    max_member_bytes: int = 256 * 2**20
    max_total_bytes: int = 40 * 2**30
    max_members: int = 500_000


@dataclass(frozen=True)
class _Member:
    name: str
    num_bytes: int
    open: Callable[[], Any]  # zipfile's and tarfile's streams share no type
    refused: str = ""


def unpack(archive: Path, folder: Path, limits: Limits) -> None:
    """Unpack a zip or tar (plain, gz, bz2, xz) archive into an empty folder.

    Sizes are checked in the headers: zipfile and tarfile never return more bytes than declared.

    Raises:
        ArchiveError: if it is no such archive, is damaged, needs a password, exceeds the limits, or
            if a member is a link, a device, named twice or named outside the folder.
        OSError: if it cannot be written.
    """
    num_bytes_left = limits.max_total_bytes
    try:
        for num_members, member in enumerate(_members(archive), start=1):
            if num_members > limits.max_members:
                raise ArchiveError(f"holds more than {limits.max_members} files")
            target = _place(member, folder)
            most = min(limits.max_member_bytes, num_bytes_left)
            num_bytes_left -= _write(member, target, most)
    except _SPOILT as error:
        raise ArchiveError(f"is damaged ({type(error).__name__})") from error
    except OSError as error:
        if (
            error.errno is None
        ):  # bz2 and gzip raise it for bad data; errors of the disk have a number
            raise ArchiveError("is damaged (bad data)") from error
        raise


def _members(archive: Path) -> Iterator[_Member]:
    """Yield the files of an archive in their order; folders come with their files."""
    with archive.open("rb") as file:
        head = file.read(512)
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise ArchiveError("is a web page (HTML), expected a zip or tar archive")
    if zipfile.is_zipfile(archive):
        yield from _zip_members(archive)
    else:
        yield from _tar_members(archive, head)


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            refused = "" if kind in {0, stat.S_IFREG, stat.S_IFDIR} else "a link or device"
            if info.flag_bits & 1:
                refused = "locked with a password"
            if not info.is_dir():
                yield _Member(info.filename, info.file_size, partial(file.open, info), refused)


def _tar_members(archive: Path, head: bytes) -> Iterator[_Member]:
    openers = [opener for magic, opener in _DECOMPRESSORS.items() if head.startswith(magic)]
    with openers[0](archive) if openers else archive.open("rb") as stream:
        bounded = _Bounded(stream)
        with _open_tar(bounded) as file:
            for info in file:
                refused = "" if info.isfile() else "a link or device"
                if not info.isdir():
                    yield _Member(info.name, info.size, partial(file.extractfile, info), refused)
        # tarfile takes a damaged header, and a file cut between two members, for the end.
        if len(bounded.last_read) < tarfile.BLOCKSIZE or bounded.last_read.strip(b"\0"):
            raise tarfile.ReadError("no end of archive")


class _Bounded(io.BufferedIOBase):
    """A stream that refuses very large reads, with which tarfile would load a huge header."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.last_read = b""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read `size` bytes, up to the limit."""
        if size is None or not 0 <= size <= MAX_READ_BYTES:
            raise tarfile.HeaderError(f"a header of {size} bytes")
        self.last_read = self._stream.read(size)
        return self.last_read

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Seek in the stream."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Return the position in the stream."""
        return self._stream.tell()


def _open_tar(stream: _Bounded) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=stream, mode="r:")
    except tarfile.ReadError as error:
        raise ArchiveError("is neither a zip nor a tar archive") from error


def _place(member: _Member, folder: Path) -> Path:
    """Return where a member belongs inside the folder, or refuse it.

    Windows' rules cover all escapes: drives, roots and `..` behind either kind of slash.
    """
    path = PureWindowsPath(member.name)
    if path.anchor or ".." in path.parts:
        raise ArchiveError(f"holds {member.name!r}, which would leave its folder")
    if member.refused:
        raise ArchiveError(f"holds {member.name!r}, {member.refused}, expected plain files only")
    return folder / PurePosixPath(member.name)


def _write(member: _Member, target: Path, most_bytes: int) -> int:
    """Write a member within the limits and return its size."""
    if member.num_bytes > most_bytes:
        raise ArchiveError(f"unpacks {member.name!r} to more than {most_bytes} bytes")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with member.open() as source, target.open("xb") as file:
            shutil.copyfileobj(source, file, CHUNK_BYTES)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise ArchiveError(f"names {member.name!r} twice, as file or folder") from error
    return member.num_bytes
