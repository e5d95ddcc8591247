import os
import time
from pathlib import Path

import pytest

from portrait_pipeline.demo.uploads import UploadFolder

ME, OTHER = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def uploads(tmp_path: Path) -> UploadFolder:
    return UploadFolder(tmp_path)


def lying(uploads: UploadFolder) -> set[bytes]:
    """What lies in the folder."""
    return {path.read_bytes() for path in uploads.folder.rglob("*") if path.is_file()}


def made_older(path: Path, seconds: float = 3600.0) -> Path:
    past = time.time() - seconds
    os.utime(path, (past, past))
    return path


def test_an_upload_is_read_and_then_gone(uploads: UploadFolder) -> None:
    """The bytes come back once; after the answer the file is deleted."""
    path = uploads.keep(b"photo", ME)
    assert uploads.is_waiting(str(path))
    upload = uploads.take(str(path))
    assert upload is not None
    assert not uploads.is_waiting(str(path))
    with upload:
        assert upload.data == b"photo"
    assert not path.exists()
    assert uploads.take(str(path)) is None


def test_an_upload_is_deleted_when_its_answer_fails(uploads: UploadFolder) -> None:
    """A fault while answering does not leave the photo behind."""
    upload = uploads.take(str(uploads.keep(b"photo", ME)))
    assert upload is not None
    with pytest.raises(RuntimeError), upload:
        raise RuntimeError
    assert not upload.path.exists()


def test_no_path_of_the_client_is_used(uploads: UploadFolder, tmp_path: Path) -> None:
    """Only a file that waits in the folder is read: no other path, link, address or traversal."""
    secret = tmp_path / "secret.photo"
    secret.write_bytes(b"secret")
    own = uploads.keep(b"own", ME)
    (own.parent / "plain.txt").write_bytes(b"secret")
    (own.parent / "planted.photo").write_bytes(b"secret")
    for path in (
        str(secret),
        f"{own.parent}/../../secret.photo",
        f"{own.parent}/plain.txt",
        f"{own.parent}/planted.photo",
        f"{own.parent}/./{own.name}",
        own.name,
        "/etc/passwd",
        "http://127.0.0.1/a.photo",
        "data:image/png;base64,AAAA",
        "\0",
        "",
        None,
    ):
        assert uploads.take(path) is None
    assert uploads.take(str(own)) is not None


def test_only_files_of_the_own_folder_are_shown(uploads: UploadFolder, tmp_path: Path) -> None:
    """Folders, files outside and links that lead outside are not shown."""
    shown = uploads.new_folder(ME) / "portrait.png"
    shown.write_bytes(b"portrait")
    (shown.parent / "link.png").symlink_to("/etc/passwd")
    assert uploads.find_shown(str(shown)) == shown
    for path in (shown.parent, shown.parent / "link.png", "/etc/passwd", "gone.png", "\0", ""):
        assert uploads.find_shown(str(path)) is None
    outside = tmp_path.parent / f"{tmp_path.name}_outside.png"
    outside.write_bytes(b"not ours")
    assert uploads.find_shown(f"{uploads.root}/../{outside.name}") is None


def test_old_files_are_swept(uploads: UploadFolder) -> None:
    """What is older than the limit goes, with its folder; what is young stays."""
    old, young = uploads.keep(b"old", ME), uploads.keep(b"young", ME)
    folder = uploads.new_folder(ME)
    (folder / "portrait.png").write_bytes(b"portrait")
    for path in (old, folder / "portrait.png", folder):
        made_older(path)
    uploads.sweep(600.0)
    assert lying(uploads) == {b"young"}
    assert not uploads.is_waiting(str(old))
    assert uploads.is_waiting(str(young))
    made_older(folder)
    uploads.sweep(600.0)
    assert not folder.exists()
    assert uploads.folder.exists()


def test_what_the_page_itself_shows_is_not_swept(uploads: UploadFolder) -> None:
    """Examples lie beside the visitors' files and stay as long as the page is open."""
    example = uploads.root / "example.jpeg"
    example.write_bytes(b"example")
    made_older(example)
    uploads.sweep(0.0)
    assert uploads.find_shown(str(example)) == example


@pytest.mark.parametrize("count", [4, 40])
def test_a_visitor_with_much_loses_what_is_oldest_and_others_nothing(
    count: int, tmp_path: Path
) -> None:
    """One visitor's files never take the room of the others."""
    uploads = UploadFolder(tmp_path, max_bytes=100, max_bytes_of_one=30)
    uploads.keep(b"o" * 10, OTHER)
    for index in range(count):
        made_older(uploads.keep(b"%010d" % index, ME), 60.0 - index)
    newest = {b"%010d" % index for index in range(count - 3, count)}
    assert lying(uploads) == newest | {b"o" * 10}


@pytest.mark.parametrize("num_visitors", [5, 20])
def test_a_full_disk_shuts_nobody_out(num_visitors: int, tmp_path: Path) -> None:
    """When all room is taken, a new visitor gets some from whoever has most."""
    uploads = UploadFolder(tmp_path, max_bytes=100, max_bytes_of_one=30)
    uploads.keep(b"o" * 10, OTHER)
    for visitor in range(num_visitors):
        for index in range(3 if visitor < 5 else 1):
            uploads.keep(b"%04d%06d" % (visitor, index), f"192.0.2.{visitor + 10}")
        assert any(data.startswith(b"%04d" % visitor) for data in lying(uploads))
        assert sum(map(len, lying(uploads))) <= 100
    assert num_visitors > 5 or b"o" * 10 in lying(uploads)


def test_no_stub_file_is_written_beside_the_source() -> None:
    """Gradio writes .pyi files beside subclasses of its components; the page has none."""
    assert not list((Path(__file__).parents[2] / "src").rglob("*.pyi"))
