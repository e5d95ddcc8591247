"""The wheel, installed where nothing else is, paints; with each Python that is at hand."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from benchmarks.install import build_wheel, install_wheel
from PIL import Image

from portrait_pipeline.portrayal.shipped import FOLDER
from portrait_pipeline.sample import draw_photo

PYTHONS = ("python3.11", "python3.12", "python3.13")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def runs(python: str) -> bool:
    """Tell whether a Python is there and starts: a name may be there that leads nowhere."""
    found = shutil.which(python)
    return found is not None and subprocess.run([found, "-c", ""], check=False).returncode == 0


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
@pytest.mark.parametrize("python", PYTHONS)
def test_the_wheel_paints_without_the_project(
    wheel: Path, model_folder: Path, tmp_path: Path, python: str
) -> None:
    """In an empty environment and another folder: no PyTorch, no network, exit code and file."""
    if not runs(python):
        pytest.skip(f"{python} is not at hand")
    try:
        installed = install_wheel(wheel, tmp_path, python)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"the base dependencies cannot be installed here ({error})")
    Image.fromarray(draw_photo(0, 1, 256).photo).save(tmp_path / "me.png")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [installed.command, "me.png", "-o", "painted.png", "--model", model_folder],
        cwd=tmp_path, env=plain, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "painted.png") as painted:
        assert painted.width > 64
    absent = "from importlib.util import find_spec as f; assert not (f('torch') or f('kedro'))"
    subprocess.run([installed.python, "-c", absent], check=True, env=plain)
