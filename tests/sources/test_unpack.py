"""Archives of strangers: everything inside its folder, nothing above its limit."""

import errno
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from portrait_pipeline.sources import unpack as unpacking
from portrait_pipeline.sources.unpack import ArchiveError, Limits, unpack

FILES = {"a.png": b"A" * 3000, "deep/b.png": bytes(range(256)) * 9}
OUTSIDE = ["../a.png", "deep/../../a.png", "/a.png", "..\\a.png", "C:\\a.png", "C:a.png"]


def make_zip(path: Path, files: dict[str, bytes]) -> Path:
    """Write a zip archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def make_tar(path: Path, files: dict[str, bytes]) -> Path:
    """Write a tar archive, compressed as the ending says."""
    kind = path.suffix.removeprefix(".").replace("tar", "")
    with tarfile.open(path, f"w:{kind}") as file:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return path


def unpacked(archive: Path, limits: Limits | None = None) -> dict[str, bytes]:
    """Unpack beside the archive and read all that came."""
    folder = archive.parent / "unpacked"
    folder.mkdir()
    unpack(archive, folder, limits or Limits())
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_tar_comes_out_as_it_went_in(ending: str, tmp_path: Path) -> None:
    """All compressions of tar give the same files, whatever the archive is called."""
    archive = make_tar(tmp_path / f"a.{ending}", FILES)
    assert unpacked(archive.rename(tmp_path / "without_ending")) == FILES


def test_zip_comes_out_as_it_went_in(tmp_path: Path) -> None:
    """A zip gives its files; folders of their own are no files."""
    archive = make_zip(tmp_path / "a.zip", {"deep/": b""} | FILES)
    assert unpacked(archive) == FILES


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("name", OUTSIDE)
def test_no_member_leaves_its_folder(
    name: str, make: Callable[[Path, dict[str, bytes]], Path], tmp_path: Path
) -> None:
    """Every way out, by `..`, root or drive, is refused by name before a byte is written."""
    archive = make(tmp_path / "a.tar", {name: b"out"})
    with pytest.raises(ArchiveError, match=r"a\.png'?, which would leave its folder"):
        unpacked(archive)
    assert [path.name for path in tmp_path.rglob("*")] == ["a.tar", "unpacked"]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
)
def test_links_and_devices_in_tar(kind: bytes, tmp_path: Path) -> None:
    """Links, soft or hard, pipes and devices are refused, also those that stay inside."""
    info = tarfile.TarInfo("link.png")
    info.type, info.linkname = kind, "a.png"
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        file.addfile(info)
    with pytest.raises(ArchiveError, match=r"'link\.png', a link or device"):
        unpacked(tmp_path / "a.tar")


def test_links_in_zip(tmp_path: Path) -> None:
    """A symbolic link stored in a zip is refused."""
    info = zipfile.ZipInfo("link.png")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(info, "/etc/passwd")
    with pytest.raises(ArchiveError, match=r"'link\.png', a link or device"):
        unpacked(tmp_path / "a.zip")


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (Limits(max_member_bytes=2999), "'a.png' to more than 2999 bytes"),
        (Limits(max_total_bytes=3100), "'deep/b.png' to more than 100 bytes"),
        (Limits(max_members=1), "more than 1 files"),
    ],
)
def test_limits(
    limits: Limits, what: str, make: Callable[[Path, dict[str, bytes]], Path], tmp_path: Path
) -> None:
    """Size of a member, sum of sizes and number of members each have a limit, met exactly."""
    with pytest.raises(ArchiveError, match=what):
        unpacked(make(tmp_path / "a.tar.gz", FILES), limits)


def test_limits_may_be_reached(tmp_path: Path) -> None:
    """Exactly as much as allowed is allowed."""
    total = sum(map(len, FILES.values()))
    limits = Limits(max_member_bytes=3000, max_total_bytes=total, max_members=2)
    assert unpacked(make_zip(tmp_path / "a.zip", FILES), limits) == FILES


def test_a_bomb_that_lies_about_its_size(tmp_path: Path) -> None:
    """A member that says 10 bytes and holds 10 MB writes no more than it may."""
    archive = make_zip(tmp_path / "a.zip", {"bomb.png": bytes(10**7)})
    content = archive.read_bytes()
    assert content.count((10**7).to_bytes(4, "little")) == 2
    archive.write_bytes(content.replace((10**7).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(ArchiveError, match="is damaged"):
        unpacked(archive, Limits(max_member_bytes=1000))
    assert sum(path.stat().st_size for path in (tmp_path / "unpacked").rglob("*")) <= 1000


def test_the_disk_is_not_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is told as such, not as a damaged archive."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(unpacking.shutil, "copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        unpacked(make_zip(tmp_path / "a.zip", FILES))


def test_a_huge_header_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long-name header that would fill the memory is refused unread."""
    monkeypatch.setattr(unpacking, "MAX_READ_BYTES", 10_000)
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as file:
        file.addfile(tarfile.TarInfo("x" * 50_000))
    with pytest.raises(ArchiveError, match=r"neither a zip nor a tar|is damaged"):
        unpacked(tmp_path / "a.tar.gz")


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_the_same_name_twice(
    make: Callable[[Path, dict[str, bytes]], Path], tmp_path: Path
) -> None:
    """A name that is file and folder at once is refused: none of two may be lost."""
    with pytest.raises(ArchiveError, match=r"'a\.png/b\.png' twice"):
        unpacked(make(tmp_path / "a.tar", {"a.png": b"1", "a.png/b.png": b"2"}))


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_cut_archives_lose_nothing_unsaid(ending: str, tmp_path: Path) -> None:
    """Cut anywhere, an archive is refused, or it gives every file (only padding was cut)."""
    make = make_zip if ending == "zip" else make_tar
    whole = make(tmp_path / f"whole.{ending}", FILES).read_bytes()
    outcomes = set()
    # Every 512th byte: between two members tarfile itself sees a good end.
    for position in range(0, len(whole), 512 if ending == "tar" else 7):
        folder = tmp_path / str(position)
        folder.mkdir()
        (folder / "cut").write_bytes(whole[:position])
        try:
            outcomes.add(unpacked(folder / "cut") == FILES)
        except ArchiveError:
            outcomes.add("refused")
    assert outcomes == ({"refused"} if ending == "zip" else {"refused", True})


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\n<!DOCTYPE html><title>Log in</title>", r"web page \(HTML\)"),
        (b"<HTML>", r"web page \(HTML\)"),
        (b"", "neither a zip nor a tar"),
        (b"\x89PNG picture", "neither a zip nor a tar"),
        (b"\x1f\x8b no gzip", "damaged"),
        (b"BZh no bzip2", "damaged"),
    ],
)
def test_what_is_no_archive(content: bytes, what: str, tmp_path: Path) -> None:
    """A web page is named as such; so is what is neither zip nor tar."""
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ArchiveError, match=what):
        unpacked(tmp_path / "a.zip")


def test_locked_zip(tmp_path: Path) -> None:
    """A zip with a password is named as such."""
    archive = make_zip(tmp_path / "a.zip", {"a.png": b"x"})
    content = bytearray(archive.read_bytes())
    content[6] |= 1  # local header: encrypted
    content[content.index(b"PK\x01\x02") + 8] |= 1  # central directory: encrypted
    archive.write_bytes(content)
    with pytest.raises(ArchiveError, match="locked with a password"):
        unpacked(archive)
