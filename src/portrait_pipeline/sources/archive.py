"""Pictures in a zip or tar archive: a local file or a URL."""

import hashlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pooch

from portrait_pipeline.downloads import Patience, download_file
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.file_names import user_path
from portrait_pipeline.files import whole_folder
from portrait_pipeline.masking import mask_secrets
from portrait_pipeline.sources.unpack import ArchiveError, Limits, unpack


def fetch_archive(
    archive: str,
    sha256: str | None,
    folder: Path,
    hint: str,
    limits: Limits | None = None,
    patience: Patience | None = None,
) -> Path:
    """Unpack an archive below `folder`, unless that is done, and return its folder.

    Args:
        archive: Path of a file, or an http(s) URL, which is downloaded first (and resumed after an
            interruption).
        sha256: Expected hash of the archive, 64 hexadecimal digits.
        folder: Where the download and the unpacked folder are kept.
        hint: What the person can do when it fails; ends the error's sentence.
        limits: Limits on the unpacked size.
        patience: How often and how long to retry a failing server.

    Raises:
        PortraitPipelineError: if the archive is missing, has another hash, is damaged, or holds
            what must not be unpacked; nothing partly unpacked stays.
    """
    is_address = urlsplit(archive).scheme in {"http", "https"}
    if is_address:
        named = mask_secrets(archive)
        local = download_file(archive, folder / _file_name(archive), sha256, hint, patience)
    else:
        named = archive
        local = _own_file(archive, sha256, hint)
    unpacked = folder / f"unpacked_{_state(local)}"
    if unpacked.is_dir():
        return unpacked
    try:
        with whole_folder(unpacked) as part:
            unpack(local, part, limits or Limits())
    except ArchiveError as error:
        if is_address:
            local.unlink()
        raise PortraitPipelineError(f"{named} {error}; {hint}") from error
    except OSError as error:
        raise PortraitPipelineError(
            f"{named} could not be unpacked to {unpacked} ({error.strerror}); {hint}"
        ) from error
    return unpacked


def _own_file(archive: str, sha256: str | None, hint: str) -> Path:
    path = user_path(archive)
    if not path.is_file():
        raise PortraitPipelineError(
            f"the archive {archive!r} is not there, expected a file or an http(s) URL; {hint}"
        )
    actual = sha256 and pooch.file_hash(str(path))
    if actual != sha256:
        raise PortraitPipelineError(
            f"the archive {archive} has the SHA-256 {actual}, expected {sha256}; {hint}"
        )
    return path


def _file_name(address: str) -> str:
    """Name a download: a hash of its URL, then the end of the URL."""
    mark = hashlib.sha256(address.encode()).hexdigest()[:8]
    return f"{mark}_{Path(unquote(urlsplit(address).path)).name or 'archive'}"


def _state(archive: Path) -> str:
    """Return a name that changes with a file's path, size and date."""
    found = archive.stat()
    state = f"{archive.resolve()} {found.st_size} {found.st_mtime_ns}"
    return hashlib.sha256(state.encode()).hexdigest()[:12]
