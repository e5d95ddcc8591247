"""File names: safe to write, fit to print, and text that comes back as the same file."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portrait_pipeline.file_names import (
    MAX_NAME_BYTES,
    MAX_STEM_BYTES,
    distinct_stems,
    is_safe_name,
    name_as_text,
    path_as_text,
    path_of_text,
    printable,
    safe_stem,
)


@settings(deadline=None, max_examples=80)
@given(st.text(max_size=300))
def test_every_name_becomes_a_plain_file_name(name: str) -> None:
    """Whatever a file is called, its stem is one visible, short, relative component."""
    stem = safe_stem(name)
    assert stem
    assert Path(stem).name == stem
    assert not stem.startswith((".", "-"))
    assert len(stem.encode()) <= MAX_STEM_BYTES + 1
    assert not set(stem) & set('/\\:*?"<>|\0\n')


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Anna.JPG", "Anna"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot"),
        ("/tmp/x.png", "x"),
        ("...", "picture"),
        ("", "picture"),
        ("CON.png", "CON_"),
        ("con.tar.gz", "con_.tar"),
        ("LPT¹.txt.png", "LPT¹_.txt"),
        ("हिन्दी.png", "हिन्दी"),
        ("สวัสดี.jpg", "สวัสดี"),
        ("q\u0323\u0307.png", "q\u0323\u0307"),
        ("\u0301a \u0301b.png", "a_b"),
        ("👩\u200d👧 Anna.png", "Anna"),
        ("-rf.png", "rf"),
        ("Grüße aus Köln.jpg", "Grüße_aus_Köln"),
        ("a\nb\0c.png", "a_b_c"),
        ("archive.tar.gz", "archive.tar"),
        ("\udcff.png", "picture"),
        ("中" * 38 + ".png", "中" * 36),
        ("a" + "中" * 80 + ".png", "a" + "中" * 36),
        ("é" * 56, "é" * 55),
        ("x" * 300 + ".png", "x" * MAX_STEM_BYTES),
    ],
)
def test_stems_by_example(name: str, stem: str) -> None:
    """Paths, control characters and reserved names go; letters of all scripts stay."""
    assert safe_stem(name) == stem


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(["a.png", "A.jpg", "a_2.png", "b.png", "a.webp"]), max_size=8))
def test_no_two_files_share_a_stem(names: list[str]) -> None:
    """Stems differ even where the disk does not tell upper from lower case."""
    stems = distinct_stems(names)
    assert len({stem.casefold() for stem in stems}) == len(names)


def test_the_stem_of_a_file_does_not_depend_on_later_ones() -> None:
    """A name keeps its stem when more files follow."""
    assert distinct_stems(["a.png", "a.jpg", "b.png"])[:2] == distinct_stems(["a.png", "a.jpg"])


@settings(deadline=None, max_examples=80)
@given(st.text(max_size=300))
def test_what_the_sanitiser_makes_may_be_written(name: str) -> None:
    """Every stem with an ending of ours is a safe name, however many bytes its letters take."""
    assert is_safe_name(f"{safe_stem(name)}_comparison_12.png")
    assert is_safe_name(f"{safe_stem(f'nul.{name}')}.png")


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", ".a", "-a", "nul", "COM1.png", "a\x1b[2J.png", "中" * 86, "\u0301a"],
)
def test_unsafe_names_are_told(name: str) -> None:
    """Paths, hidden, reserved and control names, and names of too many bytes are not safe."""
    assert not is_safe_name(name)
    assert len(("中" * 86).encode()) > MAX_NAME_BYTES


def test_many_alike_get_numbers() -> None:
    """Twenty thousand names with one stem are told apart without comparing each with each."""
    assert distinct_stems(["?.png"] * 20_000)[-1] == "picture_20000"


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "a\r", "\x07", "a\nb", "\x9b31m", "\u202egpj.exe", "\udcff"]
)
def test_control_codes_are_shown_and_not_obeyed(text: str) -> None:
    """Escapes, carriage returns, bells, marks of direction and bytes are printed as escapes."""
    assert printable(text).isprintable()
    assert "\\" in printable(text)


def test_letters_are_printed_as_they_are() -> None:
    """Umlauts, Chinese and emoji need no escape."""
    assert printable("Grüße 中文 😀 it's.png") == "Grüße 中文 😀 it's.png"


@pytest.mark.parametrize(
    "name", [b"a.png", "中.png".encode(), b"caf\xe9.png", b"\xff\xfe", b"100%.png", b"a\\xff"]
)
def test_every_path_is_text_and_comes_back(tmp_path: Path, name: bytes) -> None:
    """A file whose name is not Unicode is named by text that finds it again."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.touch()
    text = path_as_text(path)
    assert text.encode().decode() == text
    assert path_of_text(text).exists()
    assert name_as_text(path.name).encode()
