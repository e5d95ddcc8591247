"""Archives of strangers: everything inside its folder, nothing above its limit."""

import contextlib
import errno
import io
import random
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


def header(name: str, **fields: object) -> tarfile.TarInfo:
    """Make a tar header."""
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def sparse_tar(path: Path, style: str, num_bytes: int) -> Path:
    """Write a tar archive with one file that is all holes, as GNU tar and its PAX formats do."""
    if style == "old":
        info = header("a.png", type=tarfile.GNUTYPE_SPARSE)
        block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
        block[386:410] = b"%011o\0%011o\0" % (num_bytes, 0)
        block[483:495] = b"%011o\0" % num_bytes
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
        path.write_bytes(bytes(block) + bytes(1024))
        return path
    said = {
        "0.1": {"GNU.sparse.map": f"{num_bytes},0", "GNU.sparse.size": str(num_bytes)},
        "1.0": {
            "GNU.sparse.major": "1",
            "GNU.sparse.minor": "0",
            "GNU.sparse.realsize": str(num_bytes),
            "GNU.sparse.name": "a.png",
        },
    }[style]
    content = f"1\n{num_bytes}\n0\n".encode().ljust(512, b"\0") if style == "1.0" else b""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as file:
        info = header("a.png", size=len(content), pax_headers=said)
        file.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("style", ["old", "0.1", "1.0"])
def test_sparse_files_in_tar(style: str, tmp_path: Path) -> None:
    """Holes take no room in an archive and much on the disk: no kind of them is unpacked."""
    archive = sparse_tar(tmp_path / "a.tar", style, 2**27)
    with pytest.raises(ArchiveError, match=r"'a\.png', a sparse file"):
        unpacked(archive)
    assert not list((tmp_path / "unpacked").iterdir())


@pytest.mark.parametrize("ending", ["zip", "tar"])
@pytest.mark.parametrize("name", ["", ".", "./."])
def test_names_that_name_no_file(name: str, ending: str, tmp_path: Path) -> None:
    """An empty name is refused like every name that is none, or is the folder's own."""
    archive = tmp_path / f"a.{ending}"
    if ending == "zip":
        info = zipfile.ZipInfo("x")
        info.filename = name
        with zipfile.ZipFile(archive, "w") as file, file.open(info, "w") as member:
            member.write(b"x")
    else:
        make_tar(archive, {name: b"x"})
    with pytest.raises(ArchiveError, match=f"holds {name!r}, which is no file name"):
        unpacked(archive)
    assert not list((tmp_path / "unpacked").iterdir())


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("name", ["a" * 300, "ä" * 200, "/".join(["deep"] * 70) + ".png"])
def test_names_that_no_disk_can_hold(
    name: str, make: Callable[[Path, dict[str, bytes]], Path], tmp_path: Path
) -> None:
    """Too long a name, and too many folders, are the archive's fault and not the disk's."""
    with pytest.raises(ArchiveError, match=r"no file name here|in more than 64 folders"):
        unpacked(make(tmp_path / "a.tar", {name: b"x"}))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO])
def test_links_and_devices_in_zip(kind: int, tmp_path: Path) -> None:
    """What is no plain file is refused in a zip too."""
    info = zipfile.ZipInfo("link.png")
    info.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(info, "/etc/passwd")
    with pytest.raises(ArchiveError, match=r"'link\.png', a link or device"):
        unpacked(tmp_path / "a.zip")


@pytest.mark.parametrize("ending", ["zip", "tar.gz", "tar.bz2", "tar.xz"])
def test_bombs_are_told_by_their_ratio(ending: str, tmp_path: Path) -> None:
    """Pictures are compressed already: what grows a hundredfold is none of them."""
    files = {f"{number}.bmp": bytes(100_000) for number in range(30)}
    archive = tmp_path / f"a.{ending}"
    if ending == "zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in files.items():
                file.writestr(name, content)
    else:
        make_tar(archive, files)
    with pytest.raises(ArchiveError, match=r"to more than \d+ bytes"):
        unpacked(archive, Limits(free_bytes=150_000))
    written = [path.stat().st_size for path in (tmp_path / "unpacked").rglob("*.bmp")]
    assert sum(written) <= max(150_000, 100 * archive.stat().st_size)


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_folders_count_as_members(
    make: Callable[[Path, dict[str, bytes]], Path], tmp_path: Path
) -> None:
    """An archive of folders alone is refused like any other with too many members."""
    if make is make_zip:
        archive = make_zip(tmp_path / "a", {f"{number}/": b"" for number in range(20)})
    else:
        archive = tmp_path / "a"
        with tarfile.open(archive, "w") as file:
            for number in range(20):
                file.addfile(header(f"{number}", type=tarfile.DIRTYPE))
    with pytest.raises(ArchiveError, match="more than 10 files"):
        unpacked(archive, Limits(max_members=10))


def test_a_huge_list_of_members_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zip whose list of members would fill the memory is refused before it is read."""
    archive = make_zip(tmp_path / "a.zip", {f"{number:0200}.png": b"" for number in range(100)})
    monkeypatch.setattr(unpacking, "MAX_READ_BYTES", 2000)
    with pytest.raises(ArchiveError, match=r"is damaged \(HeaderError\)"):
        unpacked(archive, Limits(max_members=50))


def test_what_is_too_large_is_not_read_to_be_measured() -> None:
    """The archive is not asked for more than may be read at once, whatever a header announces."""

    class Asked(io.BytesIO):
        most = 0

        def read(self, size: int | None = -1, /) -> bytes:
            self.most = max(self.most, size or 0)
            return super().read(size)

    stream = Asked(bytes(10_000))
    bounded = unpacking._Bounded(stream, 1000)
    for wanted in (1001, 2**40):
        with pytest.raises(tarfile.HeaderError):
            bounded.read(wanted)
    assert stream.most == 0
    with pytest.raises(tarfile.HeaderError):
        bounded.read()
    assert stream.most == 1001


def nested_headers(count: int) -> bytes:
    """Make long-name headers that announce long-name headers."""
    link = header("././@LongLink", type=tarfile.GNUTYPE_LONGNAME, size=2)
    return (link.tobuf(tarfile.GNU_FORMAT) + b"a\0".ljust(512, b"\0")) * count


@pytest.mark.parametrize(
    "content",
    [
        nested_headers(3000),
        header("a", pax_headers={"size": "-5"}).tobuf(tarfile.PAX_FORMAT) + bytes(1024),
        header("a", size=2**33).tobuf(tarfile.GNU_FORMAT) + bytes(1024),
        b"PK\x05\x06" + b"\xff" * 18,
        b"PK\x05\x06" + bytes(6) + b"\xff\xff\xff\xff" + bytes(8),
        b"PK\x06\x06" + b"\xff" * 52 + b"PK\x06\x07" + bytes(16) + b"PK\x05\x06" + b"\xff" * 18,
    ],
    ids=["nested", "negative size", "large size", "zip", "zip offsets", "zip64"],
)
def test_whatever_a_parser_raises_is_the_archives_fault(content: bytes, tmp_path: Path) -> None:
    """No crafted header ends in another error than ours."""
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ArchiveError):
        unpacked(tmp_path / "a")


def test_mutated_archives_give_files_or_our_error(tmp_path: Path) -> None:
    """A few hundred archives with changed bytes: nothing but files inside the folder, or ours."""
    rng = random.Random(0)
    whole = [
        make(tmp_path / f"whole.{ending}", FILES).read_bytes()
        for make, ending in [(make_zip, "zip"), (make_tar, "tar"), (make_tar, "tar.gz")]
    ]
    for number in range(300):
        content = bytearray(whole[number % 3])
        for _ in range(rng.randint(1, 4)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        folder = tmp_path / f"{number}"
        folder.mkdir()
        (folder / "a").write_bytes(content)
        with contextlib.suppress(ArchiveError):
            unpacked(folder / "a")
        assert {path.name for path in folder.iterdir()} == {"a", "unpacked"}
