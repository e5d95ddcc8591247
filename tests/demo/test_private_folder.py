"""Faces that were sent are gone when the page is, whatever ended it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from portrait_pipeline.demo.private_folder import private_folder

PAGE = """
import pathlib, signal, sys
from portrait_pipeline.demo.private_folder import private_folder
from portrait_pipeline.signals import stopping_in_order
with stopping_in_order(), private_folder(pathlib.Path(sys.argv[1])) as folder:
    (folder / "visitors").mkdir()
    (folder / "visitors" / "face.photo").write_bytes(b"face")
    print("open", flush=True)
    while True:
        signal.pause()
"""


@contextmanager
def open_page(parent: Path) -> Iterator[subprocess.Popen[str]]:
    """A program that holds a folder with a face in it, as the page does."""
    command = [sys.executable, "-c", PAGE, str(parent)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "open\n"
        try:
            yield program
        finally:
            program.kill()


def faces(parent: Path) -> list[Path]:
    return list(parent.rglob("*.photo"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_every_signal_that_asks_to_end_deletes_the_faces(
    number: signal.Signals, tmp_path: Path
) -> None:
    """Nothing stays, and the exit code says that the program did not end by itself."""
    with open_page(tmp_path) as program:
        assert len(faces(tmp_path)) == 1
        program.send_signal(number)
        assert program.wait() != 0
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_was_killed_is_cleaned_up_by_the_next(tmp_path: Path) -> None:
    """What SIGKILL leaves is deleted at the next start; what a running page holds stays."""
    with open_page(tmp_path) as running:
        with open_page(tmp_path) as killed:
            killed.kill()
            killed.wait()
        assert len(faces(tmp_path)) == 2
        with private_folder(tmp_path) as own:
            assert len(faces(tmp_path)) == 1
            assert len(list(tmp_path.iterdir())) == 2
        assert not own.exists()
        assert running.poll() is None


def test_other_folders_are_left_alone(tmp_path: Path) -> None:
    """Only what a page left is deleted: no other folder, no link, no file."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept.txt").write_text("kept")
    (tmp_path / "portrait_page_link").symlink_to(other)
    (tmp_path / "portrait_page_file").write_text("kept")
    (tmp_path / "portraits").mkdir()
    with private_folder(tmp_path) as own:
        assert own.stat().st_mode & 0o077 == 0
    assert (other / "kept.txt").exists()
    left = {"other", "portrait_page_link", "portrait_page_file", "portraits"}
    assert {path.name for path in tmp_path.iterdir()} == left
