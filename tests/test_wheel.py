"""The wheel, installed where nothing else is, paints and serves; with each Python at hand."""

import io
import os
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.install import ROOT, build_wheel, install_wheel
from PIL import Image
from support.ports import free_port

from portrait_pipeline.portrayal.shipped import FOLDER
from portrait_pipeline.sample import draw_photo

PYTHONS = ("3.11", "3.12", "3.13")
WITHOUT_NETWORK = ("unshare", "--map-root-user", "--net")
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
PACKED = ("conf", "src", "pyproject.toml", "setup.py", "README.md", "LICENSE", ".telemetry")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def works(*command: str | Path) -> bool:
    """Tell whether a command starts: a name may be there that leads nowhere."""
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def interpreter(version: str) -> Path | str:
    """A Python of a version, on the PATH or among those that pyenv keeps; skips without one."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    for found in (f"python{version}", *kept.glob(f"{version}.*/bin/python")):
        if works(found, "-c", ""):
            return found
    pytest.skip(f"Python {version} is not at hand")


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_no_more(wheel: Path) -> None:
    """All modules, templates and the model; no tests, no settings of experiments."""
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
    assert "portrait_pipeline/report/templates/report.html.j2" in names
    assert "portrait_pipeline/py.typed" in names
    shipped = Path(__file__).parents[1] / "src" / "portrait_pipeline" / FOLDER
    for path in shipped.glob("*"):
        assert f"portrait_pipeline/{FOLDER}/{path.name}" in names
    tops = {name.partition("/")[0].partition("-")[0] for name in names}
    assert tops == {"portrait_pipeline"}


@pytest.mark.slow
def test_kedro_package_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    """And what lies in `build` from earlier is not in it."""
    for name in PACKED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    earlier = tmp_path / "build" / "lib" / "portrait_pipeline" / "removed.py"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("", encoding="utf-8")
    command = [sys.executable, "-m", "kedro", "package"]
    subprocess.run(command, cwd=tmp_path, env=PLAIN, check=True, capture_output=True)
    with zipfile.ZipFile(wheel) as plain, zipfile.ZipFile(tmp_path / "dist" / wheel.name) as made:
        ours = {member.filename: member.CRC for member in plain.infolist()}
        assert {member.filename: member.CRC for member in made.infolist()} == ours


@pytest.mark.slow
@pytest.mark.parametrize("version", PYTHONS)
def test_the_wheel_paints_without_the_project(wheel: Path, tmp_path: Path, version: str) -> None:
    """In an empty environment and another folder: no PyTorch, no network, exit code and file."""
    python = interpreter(version)
    try:
        installed = install_wheel(wheel, tmp_path, str(python))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"the base dependencies cannot be installed here ({error})")
    Image.fromarray(draw_photo(0, 1, 256).photo).save(tmp_path / "me.png")
    alone = WITHOUT_NETWORK if works(*WITHOUT_NETWORK, "true") else ()
    done = subprocess.run(
        [*alone, installed.command, "me.png", "-o", "painted.png"],
        cwd=tmp_path, env=PLAIN, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "painted.png") as painted:
        assert painted.width > 64
    absent = "from importlib.util import find_spec as f; assert not (f('torch') or f('kedro'))"
    subprocess.run([installed.python, "-c", absent], check=True, env=PLAIN)


@pytest.fixture
def served(wheel: Path, tmp_path: Path) -> Iterator[str]:
    """The address of `portrait serve`, from the wheel's files and in a folder without a project."""
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "site")
    start = "from portrait_pipeline.portrait_command import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", start, "serve", "--port", str(free_port())],
        cwd=tmp_path, env=PLAIN | {"PYTHONPATH": str(tmp_path / "site")}, stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        assert process.stderr
        yield next(word for line in process.stderr for word in line.split() if "http" in word)
        process.terminate()


@pytest.mark.slow
def test_the_wheel_serves_the_page_and_answers_programs(served: str) -> None:
    """The page is there, and a photo that is posted comes back as a portrait of the asked size."""
    with urllib.request.urlopen(served, timeout=60) as page:
        assert b"gradio" in page.read()
    photo = io.BytesIO()
    Image.fromarray(draw_photo(0, 1, 256).photo).save(photo, "png")
    asked = urllib.request.Request(f"{served}api/portrait?size=300", photo.getvalue())
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert answer.headers["Content-Type"] == "image/png"
        assert Image.open(io.BytesIO(answer.read())).size == (300, 300)
