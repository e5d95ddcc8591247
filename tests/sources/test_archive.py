"""Archives of one's own and from addresses: fetched once, unpacked whole, refused in a sentence."""

import hashlib
import io
import os
import zipfile
from pathlib import Path

import pytest
from support.http_server import Answer, HostileServer

from portrait_pipeline.downloads import Patience
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.sources import archive as archive_source
from portrait_pipeline.sources.archive import fetch_archive
from portrait_pipeline.sources.files import list_folder
from portrait_pipeline.sources.unpack import Limits

HINT = "give another archive"


def zipped(**files: bytes) -> bytes:
    """Make a zip archive in memory; names get the ending png."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in files.items():
            file.writestr(f"{name}.png", content)
    return buffer.getvalue()


ARCHIVE = zipped(a=b"a" * 5000, b=b"b" * 5000)
SHA256 = hashlib.sha256(ARCHIVE).hexdigest()


def fetch(
    archive: str, folder: Path, sha256: str | None = None, limits: Limits | None = None
) -> list[str]:
    """Fetch without sleeping and list the names."""
    patience = Patience(sleep=lambda _: None)
    return list(
        list_folder(fetch_archive(archive, sha256, folder, HINT, limits, patience), HINT)["name"]
    )


def visible(folder: Path) -> list[str]:
    """List what is not hidden in a folder."""
    return [name for name in os.listdir(folder) if not name.startswith(".")]


def test_own_file(tmp_path: Path) -> None:
    """A file is unpacked where it is told, once; a changed file is unpacked again."""
    own = tmp_path / "mine.zip"
    own.write_bytes(ARCHIVE)
    assert fetch(str(own), tmp_path / "raw", SHA256) == ["a.png", "b.png"]
    (unpacked,) = (tmp_path / "raw").iterdir()
    (unpacked / "c.png").write_bytes(b"witness")
    assert fetch(str(own), tmp_path / "raw") == ["a.png", "b.png", "c.png"]
    own.write_bytes(zipped(other=b"x"))
    assert fetch(str(own), tmp_path / "raw") == ["other.png"]


def test_own_file_missing_or_another(tmp_path: Path) -> None:
    """A missing file, or one with another hash, is one sentence."""
    with pytest.raises(PortraitPipelineError, match=f"none.zip' is not there.*{HINT}"):
        fetch(str(tmp_path / "none.zip"), tmp_path)
    (tmp_path / "mine.zip").write_bytes(b"another")
    with pytest.raises(PortraitPipelineError, match=f"mine.zip has the SHA-256.*{SHA256}; {HINT}"):
        fetch(str(tmp_path / "mine.zip"), tmp_path / "raw", SHA256)
    assert not (tmp_path / "raw").exists()


def test_own_file_that_must_not_be_unpacked(tmp_path: Path) -> None:
    """An archive of one's own that is refused stays where it is."""
    (tmp_path / "mine.zip").write_bytes(b"no archive")
    with pytest.raises(PortraitPipelineError, match=f"mine.zip is neither.*{HINT}"):
        fetch(str(tmp_path / "mine.zip"), tmp_path / "raw")
    assert (tmp_path / "mine.zip").exists()


def test_address_cut_off_and_busy(hostile_server: HostileServer, tmp_path: Path) -> None:
    """Over a breaking line, from a busy server, the archive arrives; then it is kept."""
    cut = Answer(ARCHIVE, cut_after=4000)
    url = hostile_server.serve(
        "/set.zip", Answer(status=429), cut, Answer(status=500), cut, Answer(ARCHIVE)
    )
    assert fetch(url, tmp_path, SHA256) == ["a.png", "b.png"]
    num_requests = len(hostile_server.requests)
    assert fetch(url, tmp_path, SHA256) == ["a.png", "b.png"]
    assert len(hostile_server.requests) == num_requests == 5


def test_wrong_hash_leaves_nothing(hostile_server: HostileServer, tmp_path: Path) -> None:
    """An archive with another hash is neither kept nor unpacked."""
    with pytest.raises(PortraitPipelineError, match=f"expected {SHA256}.*{HINT}"):
        fetch(hostile_server.serve("/set.zip", zipped(evil=b"x")), tmp_path, SHA256)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content_type", ["text/html", "application/zip"])
def test_web_page_in_place_of_the_archive(
    content_type: str, hostile_server: HostileServer, tmp_path: Path
) -> None:
    """A web page is named as such, even if it calls itself a zip; the next call asks again."""
    page = Answer(b"<!doctype html><p>quota exceeded", content_type=content_type)
    url = hostile_server.serve("/set.zip", page, Answer(ARCHIVE))
    with pytest.raises(PortraitPipelineError, match=rf"web page \(HTML\).*{HINT}"):
        fetch(url, tmp_path)
    assert not list(tmp_path.iterdir())
    assert fetch(url, tmp_path) == ["a.png", "b.png"]


def test_bomb_from_an_address(hostile_server: HostileServer, tmp_path: Path) -> None:
    """A bomb is refused with its member's name, and neither it nor its fragments stay."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("small.png", b"x")
        file.writestr("bomb.png", bytes(5_000_000))
    url = hostile_server.serve("/set.zip", buffer.getvalue())
    with pytest.raises(PortraitPipelineError, match=f"'bomb.png' to more than 1000000.*{HINT}"):
        fetch(url, tmp_path, limits=Limits(max_member_bytes=1_000_000))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "interruption", [KeyboardInterrupt, OSError(28, "No space left on device")]
)
def test_interrupted_unpacking_leaves_nothing(
    interruption: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped half-way, nothing half unpacked stays, and the next call does the whole."""
    (tmp_path / "mine.zip").write_bytes(ARCHIVE)
    raw = tmp_path / "raw"

    def stopped(archive: Path, folder: Path, limits: Limits) -> None:
        (folder / "a.png").write_bytes(b"half")
        raise interruption

    with monkeypatch.context() as patched:
        patched.setattr(archive_source, "unpack", stopped)
        with pytest.raises((KeyboardInterrupt, PortraitPipelineError)):
            fetch(str(tmp_path / "mine.zip"), raw)
    assert not list(raw.iterdir())
    assert fetch(str(tmp_path / "mine.zip"), raw) == ["a.png", "b.png"]


def test_remains_of_a_killed_run(tmp_path: Path) -> None:
    """What a killed run left half unpacked is not taken for the whole."""
    (tmp_path / "mine.zip").write_bytes(ARCHIVE)
    fetch(str(tmp_path / "mine.zip"), tmp_path / "raw")
    (unpacked,) = (tmp_path / "raw").iterdir()
    unpacked.rename(unpacked.with_name(f".{unpacked.name}.partial"))
    (unpacked.with_name(f".{unpacked.name}.partial") / "z.png").write_bytes(b"remains")
    assert fetch(str(tmp_path / "mine.zip"), tmp_path / "raw") == ["a.png", "b.png"]
    assert visible(tmp_path / "raw") == [unpacked.name]


def test_secrets_of_the_address(hostile_server: HostileServer, tmp_path: Path) -> None:
    """A token in the address is in no message."""
    url = hostile_server.serve("/set.zip", b"no archive") + "?token=secret"
    with pytest.raises(PortraitPipelineError, match="neither a zip nor a tar") as error:
        fetch(url, tmp_path)
    assert "secret" not in str(error.value)
