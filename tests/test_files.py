"""Files and folders appear whole, and what is read is what was written."""

import ast
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.killed_save import killed_inside

import portrait_pipeline
from portrait_pipeline.files import (
    DamagedFileError,
    check_hash,
    hash_beside,
    is_whole_png,
    open_whole,
    parse_json,
    put_in_place,
    remove_unfinished,
    restore_folder,
    whole_folder,
    write_hashed,
    write_one_of_many,
    write_whole,
)

PACKAGE = Path(portrait_pipeline.__file__).parent


def write_text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content, encoding="utf-8")


@pytest.mark.parametrize("write", [write_whole, write_one_of_many])
@pytest.mark.parametrize("name", ["a.bin", "x" * 255, "中" * 85])
def test_a_file_is_replaced_in_one_move(
    tmp_path: Path, write: Callable[[Path, bytes], None], name: str
) -> None:
    """The newer content is there and nothing is left beside it, however long the name."""
    for content in (b"one", b"two"):
        write(tmp_path / "new" / name, content)
        assert (tmp_path / "new" / name).read_bytes() == content
    assert os.listdir(tmp_path / "new") == [name]


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    """What fails half-way changes nothing and leaves nothing."""
    path = tmp_path / "a.txt"
    write_whole(path, b"old")
    with pytest.raises(TypeError), open_whole(path) as file:
        file.writelines([b"half", None])  # type: ignore[list-item]
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """The new folder holds what was written into it and nothing of the old one."""
    for name in ("one", "two"):
        with whole_folder(tmp_path / "set") as part:
            (part / name).touch()
    assert os.listdir(tmp_path / "set") == ["two"]
    with pytest.raises(FileNotFoundError), whole_folder(tmp_path / "set") as part:
        shutil.copy(tmp_path / "set" / "none", part)
    assert os.listdir(tmp_path / "set") == ["two"]
    assert os.listdir(tmp_path) == ["set"]


def test_a_folder_survives_a_death_between_two_renames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the old folder is away and the new one not there, the old one is put back."""
    folder, part = tmp_path / "set", tmp_path / "part"
    folder.mkdir()
    (folder / "old").touch()
    part.mkdir()

    def dies_at_the_second(source: Path, target: Path) -> None:
        if source == part:
            raise KeyboardInterrupt
        source.rename(target)

    monkeypatch.setattr(os, "replace", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        put_in_place(part, folder)
    monkeypatch.undo()
    assert not folder.exists()
    restore_folder(folder)
    assert os.listdir(folder) == ["old"]


def test_only_unfinished_files_are_removed(tmp_path: Path) -> None:
    """What killed writers left goes; a download that can go on, and files of the user, stay."""
    names = ["." + "0a" * 16 + ".part", ".a.zip.1234abcd.part", "a.part", "b.csv"]
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / ("." + "1b" * 16 + ".part")).mkdir()
    remove_unfinished(tmp_path)
    remove_unfinished(tmp_path / "not there")
    assert sorted(os.listdir(tmp_path)) == sorted(names[1:])


@pytest.mark.parametrize("is_noted", [True, False])
@pytest.mark.parametrize("killed_at", range(1, 10))
def test_at_every_moment_a_whole_file_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int, is_noted: bool
) -> None:
    """Killed at any step of a replacement, the old or the new content lies there and is known."""
    path = tmp_path / "a.csv"
    write_hashed(path, write_text("old"))
    if not is_noted:
        hash_beside(path).unlink()
    with killed_inside(monkeypatch, killed_at):
        write_hashed(path, write_text("new"))
    check_hash(path)
    assert path.read_text(encoding="utf-8") == ("new" if killed_at > 5 else "old")
    write_hashed(path, write_text("newer"))
    remove_unfinished(tmp_path)
    check_hash(path, required=True)
    assert sorted(os.listdir(tmp_path)) == ["a.csv", "a.csv.sha256"]


@pytest.mark.parametrize("note", ["", " ", "no hash\n", "\0" * 40, "0" * 63 + "  a.csv\n"])
def test_a_damaged_hash_is_named(tmp_path: Path, note: str) -> None:
    """An empty or torn note of the hash is told by its name."""
    path = tmp_path / "a.csv"
    write_hashed(path, write_text("content"))
    hash_beside(path).write_text(note, encoding="utf-8")
    with pytest.raises(DamagedFileError, match=r"a\.csv\.sha256 holds no SHA-256"):
        check_hash(path)


def test_a_changed_file_is_named(tmp_path: Path) -> None:
    """Half a file, or another one, is not taken for the whole."""
    path = tmp_path / "a.csv"
    write_hashed(path, write_text("name\na\nb\n"))
    path.write_text("name\na\n", encoding="utf-8")
    with pytest.raises(DamagedFileError, match=r"a\.csv is damaged"):
        check_hash(path)


def test_a_file_without_hash_passes_unless_it_must_have_one(tmp_path: Path) -> None:
    """Files of older versions have no hash."""
    path = tmp_path / "a.csv"
    path.touch()
    check_hash(path)
    with pytest.raises(DamagedFileError, match="nothing says that it is whole"):
        check_hash(path, required=True)


@pytest.mark.parametrize(
    ("content", "is_whole"),
    [(b"", False), (b"IEND", False), (b"\0" * 100, False), (b"\x89PNG IEND\xaeB`\x82", True)],
)
def test_a_torn_png_is_told(tmp_path: Path, content: bytes, is_whole: bool) -> None:
    """A PNG counts as whole when its last chunk is there."""
    (tmp_path / "a.png").write_bytes(content)
    assert is_whole_png(tmp_path / "a.png") is is_whole
    assert not is_whole_png(tmp_path / "none.png")


@pytest.mark.parametrize(
    "text", ["", "{", "\ufeff{}", "[" * 100_000, '{"a":' * 100_000, "9" * 5000, "nul", "{}{}"]
)
def test_whatever_is_no_json_is_a_value_error(text: str) -> None:
    """Empty, torn, marked, two in one, and too deep or too long for the parser."""
    with pytest.raises(ValueError):  # noqa: PT011  the parsers word it in many ways
        parse_json(text)
    with pytest.raises(ValueError):  # noqa: PT011
        parse_json(b"\xff" + text.encode())


WRITERS = {
    "cyclegan/checkpoint_files.py": "what `write_hashed` hands out",
    "datasets/face_set.py": "what `whole_folder` hands out",
    "datasets/onnx_model.py": "what `whole_folder` hands out",
    "demo/page.py": "a visitor's folder, which ends with the page",
    "demo/private_folder.py": "a visitor's folder, which ends with the page",
    "demo/uploads.py": "a visitor's folder, which ends with the page",
    "datasets/detection_journal.py": "adds whole lines; of a line cut short nothing is read",
    "downloads.py": "the part beside, which grows from call to call",
    "files.py": "these helpers themselves",
    "portrayal/naming.py": "the part beside, which must not replace a file",
    "portrayal/shipping.py": "what `whole_folder` hands out",
    "sources/unpack.py": "what `whole_folder` hands out",
}
"""Modules that write files themselves, and where to."""


def writes(call: ast.Call) -> bool:
    """Tell whether a call writes a file by its path; `buffer` and `file` name what is open."""
    function = ast.unparse(call.func)
    name = function.rpartition(".")[2]
    given = [each.value for each in call.args if isinstance(each, ast.Constant)]
    if name in {"write_text", "write_bytes"}:
        return True
    if name == "open":
        return any(isinstance(mode, str) and set("wax") & set(mode) for mode in given)
    is_open = {"buffer", "file"} & {ast.unparse(each) for each in call.args}
    saves = name == "save" and function.startswith(("np.", "torch.", "Image."))
    return saves and not is_open


def test_every_file_is_written_by_these_helpers() -> None:
    """No other module opens, saves or writes where a reader could find half of a file."""
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for each in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(each, ast.Call) and writes(each)
    }
    assert found == set(WRITERS)
