import os
import time
from pathlib import Path

import pytest
from gradio.data_classes import ImageData

from portrait_pipeline.demo.uploads import PhotoUpload, UploadFolder


@pytest.fixture
def uploads(tmp_path: Path) -> UploadFolder:
    return UploadFolder(tmp_path)


def test_an_upload_is_read_and_then_gone(uploads: UploadFolder) -> None:
    """The bytes come back once; after the answer the file is deleted."""
    path = uploads.keep(b"photo")
    upload = uploads.take(str(path))
    assert upload is not None
    with upload:
        assert upload.data == b"photo"
    assert not path.exists()
    assert uploads.take(str(path)) is None


def test_an_upload_is_deleted_when_its_answer_fails(uploads: UploadFolder) -> None:
    """A fault while answering does not leave the photo behind."""
    upload = uploads.take(str(uploads.keep(b"photo")))
    assert upload is not None
    with pytest.raises(RuntimeError), upload:
        raise RuntimeError
    assert not upload.path.exists()


def test_no_path_of_the_client_is_used(uploads: UploadFolder, tmp_path: Path) -> None:
    """Only a file that waits in the folder is read: no other path, link, address or traversal."""
    secret = tmp_path / "secret.photo"
    secret.write_bytes(b"secret")
    (uploads.folder / "plain.txt").write_bytes(b"secret")
    for path in (
        str(secret),
        f"{uploads.folder}/../secret.photo",
        f"{uploads.folder}/plain.txt",
        "secret.photo",
        "/etc/passwd",
        "http://127.0.0.1/a.photo",
        "data:image/png;base64,AAAA",
        "\0",
        "",
        None,
    ):
        assert uploads.take(path) is None


def test_the_field_hands_bytes_on_undecoded(uploads: UploadFolder) -> None:
    """Nothing is opened before its size was looked at, and data addresses are not taken."""
    field = PhotoUpload()
    assert field.preprocess(ImageData(path=str(uploads.keep(b"x")))) is None
    field.uploads = uploads
    upload = field.preprocess(ImageData(path=str(uploads.keep(b"no picture at all"))))
    assert upload is not None
    assert upload.data == b"no picture at all"
    assert field.preprocess(ImageData(url="data:image/png;base64,AAAA")) is None
    assert field.preprocess(None) is None


def test_old_files_are_swept(uploads: UploadFolder) -> None:
    """What is older than the limit goes, with its folder; what is young is counted and stays."""
    old, young = uploads.keep(b"old"), uploads.keep(b"young")
    folder = uploads.new_folder()
    (folder / "portrait.png").write_bytes(b"portrait")
    past = time.time() - 3600
    for path in (old, folder / "portrait.png", folder):
        os.utime(path, (past, past))
    assert uploads.sweep(600.0) == len(b"young")
    assert not old.exists()
    assert young.exists()
    os.utime(folder, (past, past))
    uploads.sweep(600.0)
    assert not folder.exists()
    assert uploads.folder.exists()


def test_no_stub_file_is_written_beside_the_source() -> None:
    """Gradio writes .pyi files beside subclasses of its components; ours leaves none."""
    assert not list((Path(__file__).parents[2] / "src").rglob("*.pyi"))
