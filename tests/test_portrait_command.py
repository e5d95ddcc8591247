"""`portrait`, as it is typed: files, folders, streams, exit codes, sentences, and no PyTorch."""

import io
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image
from support.base_site import run_with_base

from portrait_pipeline import portrait_command
from portrait_pipeline.sample import draw_photo

START = "from portrait_pipeline.portrait_command import main; main()"


class Ended(NamedTuple):
    """What a command left behind."""

    code: int
    out: bytes
    err: str

    @property
    def says(self) -> str:
        return self.out.decode() + self.err


Call = Callable[..., Ended]


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model_folder: Path) -> Call:
    """Type a command in an empty folder; standard output is a file or, on request, a terminal."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(draw_photo(0, 1, 256).photo).save(tmp_path / "me.png")
    Image.new("RGB", (90, 90), "white").save(tmp_path / "wall.png")
    (tmp_path / "notes.jpg").write_text("no picture")

    def run(*words: str, given: bytes = b"", model: Path = model_folder, **stream: bool) -> Ended:
        out, err = io.BytesIO(), io.StringIO()
        wrapper = Terminal if stream.get("terminal") else io.TextIOWrapper
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), encoding="utf-8"))
        monkeypatch.setattr(sys, "stdout", wrapper(out, encoding="utf-8", write_through=True))
        monkeypatch.setattr(sys, "stderr", err)
        monkeypatch.setattr(sys, "argv", ["portrait", *words, "--model", str(model)])
        with pytest.raises(SystemExit) as end:
            portrait_command.main()
        return Ended(int(end.value.code or 0), out.getvalue(), err.getvalue())

    return run


def size_of(path: str) -> tuple[int, int]:
    with Image.open(path) as picture:
        picture.load()
        return picture.size


def test_one_photo_becomes_one_file(call: Call) -> None:
    """By default beside nothing but a name; what was written, and by which model, is said."""
    ended = call("me.png")
    assert ended.code == 0
    assert "me_portrait.png: " in ended.says
    assert "proposed 2026.1, 64 px (a test)" in ended.says
    assert size_of("me_portrait.png")[0] > 64


@pytest.mark.parametrize("name", ["painted.png", "Painted Me.JPG", "p.jpeg", "new/p.webp"])
def test_the_file_and_its_format_are_those_that_are_named(call: Call, name: str) -> None:
    """Folders on the way are made."""
    assert call("me.png", "-o", name, "--size", "1024").code == 0
    assert size_of(name) == (1024, 1024)


@pytest.mark.parametrize("words", [["-o", "p.gif"], ["-o", "p.txt"], ["--out=p.svg"]])
def test_an_unknown_ending_is_refused(call: Call, words: list[str]) -> None:
    """The endings that work are named; nothing is written."""
    ended = call("me.png", *words)
    assert ended.code == 1
    assert "expected one of .png" in ended.err


@pytest.mark.parametrize(
    ("photo", "sentence"),
    [("wall.png", "no face to portray"), ("notes.jpg", "not an image")],
)
def test_a_photo_without_a_portrait_ends_with_3(call: Call, photo: str, sentence: str) -> None:
    """The reason is said, and no file is left."""
    ended = call(photo, "-o", "painted.png")
    assert (ended.code, sentence in ended.err) == (3, True)
    assert not Path("painted.png").exists()


@pytest.mark.parametrize("photos", [["nothing.jpg"], ["me.png", "nothing.jpg"], ["no/folder"]])
def test_a_photo_that_is_not_there_ends_with_1(call: Call, photos: list[str]) -> None:
    """Before anything is painted."""
    ended = call(*photos, "-o", "out")
    assert ended.code == 1
    assert "is not there, expected a photo" in ended.err
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("words", "present"),
    [
        (["me.png"], "me_portrait.png"),
        (["me.png", "-o", "p.jpg"], "p.jpg"),
        (["me.png", "-o", "out/"], "out/me_portrait.png"),
        (["me.png", "wall.png", "-o", "out"], "out/me_portrait.png"),
        (["me.png", "--paste-back", "-o", "out"], "out/me_photo.png"),
        (["me.png", "wall.png", "--whole", "-o", "out"], "out/me_painting.png"),
        (["me.png", "-o", "out", "--faces", "all"], "out/me_portrait_2.png"),
    ],
)
def test_what_is_there_is_replaced_by_force_only(
    call: Call, words: list[str], present: str
) -> None:
    """In whichever way the file is named."""
    Path(present).parent.mkdir(exist_ok=True)
    Path(present).write_text("kept", encoding="utf-8")
    ended = call(*words)
    assert ended.code == 1
    assert "--force" in ended.err
    assert Path(present).read_text(encoding="utf-8") == "kept"
    assert call(*words, "--force").code in (0, 3)


def test_a_folder_with_bad_files_is_portrayed_as_far_as_it_goes(call: Call, tmp_path: Path) -> None:
    """Each file has its line, the others are painted, and the exit code is 3."""
    ended = call(str(tmp_path), "--out", "out")
    assert ended.code == 3
    assert sorted(path.name for path in Path("out").iterdir()) == ["me_portrait.png"]
    for words in ("notes.jpg: not an image", "wall.png: no face", "1 of 3 photos portrayed"):
        assert words in ended.says


def test_a_portrait_that_cannot_be_written_stops_no_other(call: Call, tmp_path: Path) -> None:
    """A folder stands in its place: it has a line, and the next photo is painted."""
    Image.fromarray(draw_photo(1, 1, 256).photo).save(tmp_path / "you.png")
    Path("out/me_portrait.png").mkdir(parents=True)
    ended = call("me.png", "you.png", "-o", "out", "--force")
    assert ended.code == 3
    assert "me.png: could not write" in ended.err
    assert size_of("out/you_portrait.png")[0] > 64


@pytest.mark.parametrize("photos", [["."], ["me.png", "wall.png"]])
def test_several_photos_need_a_folder(call: Call, photos: list[str]) -> None:
    """Nothing is written beside the photos unasked."""
    ended = call(*photos)
    assert ended.code == 1
    assert "name one with --out" in ended.err


def test_standard_input_and_output(call: Call) -> None:
    """`-` reads a photo and writes a PNG, and nothing else goes to standard output."""
    given = Path("me.png").read_bytes()
    for words in (["-"], ["-", "-o", "-"], ["me.png", "-o", "-"]):
        ended = call(*words, "--size", "100", given=given)
        assert ended.code == 0
        assert Image.open(io.BytesIO(ended.out)).size == (100, 100)
    assert call("-", "-o", "p.png", given=given).code == 0
    assert size_of("p.png")[0] > 64


@pytest.mark.parametrize("name", ["wall.png", "notes.jpg"])
def test_a_bad_photo_on_standard_input(call: Call, name: str) -> None:
    """No byte goes to standard output, and the exit code is that of a file."""
    ended = call("-", given=Path(name).read_bytes())
    assert (ended.code, ended.out) == (3, b"")
    assert ended.err.startswith("standard input: ")
    nothing_at_all = call("-")
    assert nothing_at_all.code == 3
    assert nothing_at_all.err.startswith("standard input: empty")


def test_pictures_are_not_poured_onto_a_terminal(call: Call) -> None:
    """It would show thousands of control codes."""
    ended = call("-", given=b"", terminal=True)
    assert ended.code == 1
    assert "terminal" in ended.err


@pytest.mark.parametrize(
    "words",
    [
        ["-", "me.png"],
        ["-", "--faces", "all"],
        ["me.png", "--paste-back", "--size", "200"],
        ["me.png", "--whole", "--size", "200"],
        ["me.png", "--whole", "--paste-back"],
        ["me.png", "--size", "0"],
        [],
    ],
)
def test_what_makes_no_sense_is_a_usage_error(call: Call, words: list[str]) -> None:
    """Click's own exit code, and no traceback."""
    ended = call(*words)
    assert ended.code == 2
    assert "Usage: portrait" in ended.err


def test_the_whole_photo_keeps_its_size(call: Call) -> None:
    """`--paste-back` changes the face and not the photo's edges."""
    assert call("me.png", "--paste-back", "-o", "p.png").code == 0
    assert size_of("p.png") == (256, 256)
    assert call("me.png", "--whole", "-o", "w.png").code == 0
    assert size_of("w.png") == (256, 256)


def test_a_model_that_cannot_be_used_ends_with_1(call: Call, tmp_path: Path) -> None:
    """One sentence with the way back; `--version` says it too, and goes on."""
    ended = call("me.png", model=tmp_path)
    assert ended.code == 1
    assert "there is no model.json" in ended.err
    assert len(ended.err.strip().splitlines()) == 1


def test_the_version_is_said(call: Call) -> None:
    """That of the package, and the model or why there is none."""
    ended = call("--version")
    assert ended.code == 0
    assert ended.says.startswith("portrait_pipeline 0.")
    assert "model" in ended.says


def test_portraits_take_nothing_but_the_base_dependencies(
    tmp_path: Path, model_folder: Path
) -> None:
    """No PyTorch, Kedro, pandas, SciPy or scikit-image, in another folder than the project's."""
    Image.fromarray(draw_photo(0, 1, 256).photo).save(tmp_path / "me.png")
    words = ["me.png", "-o", "p.png", "--model", str(model_folder)]
    for asked, code in ((words, 0), (["serve"], 1), (["--version"], 0)):
        done = run_with_base(START, *asked, folder=tmp_path)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
    assert size_of(str(tmp_path / "p.png"))[0] > 64


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["", "-o", "p.png"], "a path is empty"),
        (["me.png", "-o", ""], "a path is empty"),
        (["me.png", "wall.png", "-o", "both.png"], "both.png is the name of a picture"),
        (["me.png", "-o", "me.png", "--force"], "me.png is one of the photos"),
        (["me.png", "-o", f"{'a' * 300}/p.png"], "File name too long"),
        (["a" * 300], "File name too long"),
        (["me.png", "-o", "wall.png/p.png"], "wall.png"),
    ],
)
def test_what_cannot_be_meant_is_refused(call: Call, words: list[str], sentence: str) -> None:
    """Before anything is written, in one sentence."""
    before = sorted(Path().iterdir())
    ended = call(*words)
    assert (ended.code, sentence in ended.err) == (1, True), ended.err
    assert ended.err.count("\n") == 1
    assert sorted(Path().iterdir()) == before


def test_two_faces_are_numbered(call: Call) -> None:
    """Each is said."""
    both = Image.new("RGB", (512, 256))
    for place in range(2):
        both.paste(Image.fromarray(draw_photo(place, 1, 256).photo), (256 * place, 0))
    both.save("both.png")
    ended = call("both.png", "--faces", "all", "-o", "p.png")
    assert ended.code == 0, ended.err
    assert [f"p_{number}.png: " in ended.says for number in (1, 2)] == [True, True]


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_a_closed_stream_is_said(call: Call, monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
    """As `<&-` and `>&-` of a shell leave it."""
    words = ["portrait", "-", *(["-o", "p.png"] if stream == "stdin" else [])]
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.setattr(sys, stream, None)
    err = io.StringIO()
    monkeypatch.setattr(sys, "stderr", err)
    with pytest.raises(SystemExit) as end:
        portrait_command.main()
    kind = {"stdin": "input", "stdout": "output"}[stream]
    assert (end.value.code, f"standard {kind} is closed" in err.getvalue()) == (1, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("words", [["me.png", "-o", "p.png"], ["me.png", "-o", "-"]])
def test_what_nobody_can_read_stops_no_portrait(call: Call, words: list[str]) -> None:
    """A message that finds no room does not matter; a portrait that finds none is an error."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", START, *words], stdout=full, stderr=subprocess.PIPE, check=False
        )
    is_written = words[-1] != "-"
    assert done.returncode == (0 if is_written else 1), done.stderr
    assert Path("p.png").exists() == is_written
    assert (b"standard output does not take" in done.stderr) != is_written
    assert b"Traceback" not in done.stderr


def test_a_signal_is_named_and_what_was_done_is_counted(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a folder."""

    def stop(*_: object) -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(portrait_command, "_write", stop)
    ended = call("me.png", "wall.png", "-o", "out")
    assert ended.code == 1
    assert "stopped after 0 of 2 photos" in ended.err
    assert "SIGTERM stopped the command" in ended.err
