"""Unpacks untrusted archives: no member leaves the folder or fills the disk."""

import bz2
import errno
import gzip
import io
import lzma
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

CHUNK_BYTES = 2**20
MAX_READ_BYTES = 16 * 2**20
MAX_DEPTH = 64
BYTES_PER_ENTRY = 128
"""Of a zip archive's list of members: a name of 80 letters."""
_NO_FILE_NAME = {errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ}
_DECOMPRESSORS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}


class ArchiveError(ValueError):
    """An archive that is refused; the message ends a sentence that names the archive."""


@dataclass(frozen=True)
class Limits:
    """Limits on the unpacked size, far above any set of pictures.

    Attributes:
        max_member_bytes: Of one file.
        max_total_bytes: Of all files together.
        max_members: Files and folders.
        max_ratio: All files together, in sizes of the archive: pictures are compressed already.
        free_bytes: What may be unpacked whatever the ratio.
    """

    max_member_bytes: int = 256 * 2**20
    max_total_bytes: int = 40 * 2**30
    max_members: int = 500_000
    max_ratio: float = 100.0
    free_bytes: int = 256 * 2**20


@dataclass(frozen=True)
class _Member:
    name: str
    num_bytes: int
    open: Callable[[], Any]  # zipfile's and tarfile's streams share no type
    is_folder: bool = False
    refused: str = ""


def unpack(archive: Path, folder: Path, limits: Limits) -> None:
    """Unpack a zip or tar (plain, gz, bz2, xz) archive into an empty folder.

    Sizes are checked in the headers: zipfile and tarfile never return more bytes than declared.

    Raises:
        ArchiveError: if it is no such archive, is damaged, needs a password, exceeds the limits, or
            if a member is a link, a device, sparse, named twice or named outside the folder.
        OSError: if it cannot be written.
    """
    allowed = max(limits.free_bytes, limits.max_ratio * archive.stat().st_size)
    num_bytes_left = int(min(limits.max_total_bytes, allowed))
    try:
        for num_members, member in enumerate(_members(archive, limits), start=1):
            if num_members > limits.max_members:
                raise ArchiveError(f"holds more than {limits.max_members} files")
            if not member.is_folder:
                target = _place(member, folder)
                most = min(limits.max_member_bytes, num_bytes_left)
                num_bytes_left -= _write(member, target, most)
    except (ArchiveError, OSError) as error:
        if isinstance(error, OSError) and error.errno is None:
            raise ArchiveError("is damaged (bad data)") from error  # bz2's and gzip's word for it
        raise
    except Exception as error:  # whatever the parsers of archives raise is the archive's fault
        raise ArchiveError(f"is damaged ({type(error).__name__})") from error


def _members(archive: Path, limits: Limits) -> Iterator[_Member]:
    """Yield the members of an archive in their order."""
    with archive.open("rb") as file:
        head = file.read(512)
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise ArchiveError("is a web page (HTML), expected a zip or tar archive")
    if zipfile.is_zipfile(archive):
        yield from _zip_members(archive, limits)
    else:
        yield from _tar_members(archive, head)


def _zip_members(archive: Path, limits: Limits) -> Iterator[_Member]:
    most = max(MAX_READ_BYTES, BYTES_PER_ENTRY * limits.max_members)
    with archive.open("rb") as stream, zipfile.ZipFile(_Bounded(stream, most)) as file:
        for info in file.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            refused = "" if kind in {0, stat.S_IFREG, stat.S_IFDIR} else "a link or device"
            if info.flag_bits & 1:
                refused = "locked with a password"
            is_folder = info.filename.endswith("/")
            content = partial(file.open, info)
            yield _Member(info.filename, info.file_size, content, is_folder, refused)


def _tar_members(archive: Path, head: bytes) -> Iterator[_Member]:
    openers = [opener for magic, opener in _DECOMPRESSORS.items() if head.startswith(magic)]
    with openers[0](archive) if openers else archive.open("rb") as stream:
        bounded = _Bounded(stream, MAX_READ_BYTES)
        with _open_tar(bounded) as file:
            for info in file:
                refused = "" if info.isfile() else "a link or device"
                if info.issparse():
                    refused = "a sparse file"
                content = partial(file.extractfile, info)
                yield _Member(info.name, info.size, content, info.isdir(), refused)
        # tarfile takes a spoilt header, and a file cut between two members, for the end.
        if len(bounded.last_read) < tarfile.BLOCKSIZE or bounded.last_read.strip(b"\0"):
            raise tarfile.ReadError("no end of archive")


class _Bounded(io.BufferedIOBase):
    """A stream that refuses very large reads, with which a huge header would be loaded at once.

    Args:
        stream: What is read.
        max_bytes: The most that is read at once.
    """

    def __init__(self, stream: IO[bytes], max_bytes: int) -> None:
        self._stream = stream
        self._max_bytes = max_bytes
        self.last_read = b""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read `size` bytes, or all, of which there must not be too many."""
        wanted = self._max_bytes + 1 if size is None or size < 0 else size
        if wanted != size or wanted <= self._max_bytes:
            self.last_read = self._stream.read(wanted)
            if len(self.last_read) <= self._max_bytes:
                return self.last_read
        raise tarfile.HeaderError(f"a header of more than {self._max_bytes} bytes")

    def seekable(self) -> bool:
        """Say that it can be read in any order."""
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move as the stream does."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Tell where the stream is."""
        return self._stream.tell()


def _open_tar(stream: _Bounded) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=stream, mode="r:")
    except tarfile.ReadError as error:
        raise ArchiveError("is neither a zip nor a tar archive") from error


def _place(member: _Member, folder: Path) -> Path:
    """Find where a member belongs, which is inside the folder or nowhere.

    Windows' rules know every way out: drives, roots and `..` behind either kind of slash.
    """
    path = PureWindowsPath(member.name)
    if path.anchor or ".." in path.parts:
        raise ArchiveError(f"holds {member.name!r}, which would leave its folder")
    if member.refused:
        raise ArchiveError(f"holds {member.name!r}, {member.refused}, expected plain files only")
    if not path.parts or "\0" in member.name:
        raise ArchiveError(f"holds {member.name!r}, which is no file name")
    if len(path.parts) > MAX_DEPTH:
        raise ArchiveError(f"holds {member.name[:40]!r}…, in more than {MAX_DEPTH} folders")
    return folder / PurePosixPath(member.name)


def _write(member: _Member, target: Path, most_bytes: int) -> int:
    """Write a member that is small enough and return its size."""
    if not 0 <= member.num_bytes <= most_bytes:
        raise ArchiveError(f"unpacks {member.name!r} to more than {most_bytes} bytes")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with member.open() as source, target.open("xb") as file:
            shutil.copyfileobj(source, file, CHUNK_BYTES)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise ArchiveError(f"names {member.name!r} twice, as file or folder") from error
    except OSError as error:
        if error.errno not in _NO_FILE_NAME:
            raise
        raise ArchiveError(f"holds {member.name[:40]!r}…, which is no file name here") from error
    return member.num_bytes
