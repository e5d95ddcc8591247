"""Measure what `pip install` of the wheel brings: megabytes, seconds to import, to a portrait.

    python -m benchmarks.install                        with this Python
    python -m benchmarks.install python3.12 python3.13  with others

Each Python gets an empty environment in a folder that is deleted afterwards. Needs a package index.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INSTALLERS = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence.pth")
IMPORT = "import portrait_pipeline.portrait_command"
NUM_IMPORTS = 3


@dataclass(frozen=True)
class Installed:
    """An empty environment with the wheel in it, and what that took.

    Attributes:
        python: The environment's interpreter.
        downloaded_mb: Sizes of the wheels, that of the package among them.
        disk_mb: Size of all installed files, the installer's own aside.
        bytecode_mb: The part of it that pip compiled here.
    """

    python: Path
    downloaded_mb: float
    disk_mb: float
    bytecode_mb: float

    @property
    def command(self) -> Path:
        """The installed `portrait`."""
        return self.python.with_name("portrait.exe" if os.name == "nt" else "portrait")

    def import_seconds(self) -> float:
        """Import what the command imports, a few times; return the shortest time."""
        return min(_seconds([self.python, "-c", IMPORT]) for _ in range(NUM_IMPORTS))


def build_wheel(folder: Path) -> Path:
    """Build the package's wheel from the working tree, with what is installed here."""
    _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--wheel-dir", folder, ROOT)  # fmt: skip
    (wheel,) = folder.glob("portrait_pipeline-*.whl")
    return wheel


def install_wheel(wheel: Path, folder: Path, python: str = sys.executable) -> Installed:
    """Install a wheel with its base dependencies into a new environment below `folder`.

    Raises:
        subprocess.CalledProcessError: if the interpreter does not run, or no index answers.
    """
    _run(python, "-m", "venv", folder / "env")
    own = folder / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    wheels = folder / "wheels"
    _run(own, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--dest", wheels, wheel)
    _run(own, "-m", "pip", "install", "--quiet", "--no-index", "--find-links", wheels, wheel)
    sizes = _installed_bytes(own)
    return Installed(
        own,
        sum(path.stat().st_size for path in wheels.iterdir()) / 1e6,
        sum(sizes.values()) / 1e6,
        sum(size for path, size in sizes.items() if path.suffix == ".pyc") / 1e6,
    )


def _installed_bytes(python: Path) -> dict[Path, int]:
    """Return the size of every file in the environment that is not the installer's."""
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    found = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True)
    site = Path(found.stdout.strip())
    return {
        path: path.stat().st_size
        for path in site.rglob("*")
        if path.is_file()
        and not path.relative_to(site).parts[0].partition("-")[0].startswith(INSTALLERS)
    }


def _run(*words: str | Path) -> None:
    # what PYTHONPATH shows would count as installed already
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(word) for word in words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=plain)


def _seconds(words: Sequence[str | Path]) -> float:
    begin = time.perf_counter()
    _run(*words)
    return time.perf_counter() - begin


def main() -> None:
    """Print one row for each Python."""
    print("Python        download   on disk (bytecode)   import   bare start")
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build_wheel(Path(scratch))
        for number, python in enumerate(sys.argv[1:] or [sys.executable]):
            installed = install_wheel(wheel, Path(scratch, str(number)), python)
            start = min(_seconds([installed.python, "-c", ""]) for _ in range(NUM_IMPORTS))
            print(
                f"{Path(python).name:<12}{installed.downloaded_mb:7.0f} MB"
                f"{installed.disk_mb:8.0f} MB ({installed.bytecode_mb:.0f} MB)"
                f"{installed.import_seconds():13.2f} s{start:8.2f} s"
            )


if __name__ == "__main__":
    main()
