"""What several test folders share."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.http_server import HostileServer, hostile_http_server
from support.process_state import changes, process_state

import portrait_pipeline  # noqa: F401  before PyTorch: sets how its threads wait
from portrait_pipeline.process_environment import prepare_environment

# Under nohup, or in the background of a script, signals are ignored, and programs that tests start
# inherit that: they would never hear the signals that the tests send them.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

# As every command sets it, whichever test is the first to import the project's settings.
prepare_environment()

# Each test says where its runs are kept, whatever the shell that started them has set.
os.environ.pop("MLFLOW_TRACKING_URI", None)

SHARED_PICTURES = Path(__file__).resolve().parents[2] / "shared" / "pictures"


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Fail a test that leaves its process in another state: the tests after it would see that."""
    before = process_state()
    yield
    assert not changes(before, process_state())


@pytest.fixture(scope="session")
def shared_pictures() -> Path:
    """The folder of real photographs and paintings beside the project; skips where it is not."""
    if not SHARED_PICTURES.is_dir():
        pytest.skip("the folder shared/pictures with real photographs is not beside the project")
    return SHARED_PICTURES


@pytest.fixture
def mlflow_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An MLflow store of one test in its folder, and no run left open after it."""
    # imported here: most tests need no MLflow
    from support.mlflow_store import make_store, tracking_at  # noqa: PLC0415

    monkeypatch.chdir(tmp_path)
    with tracking_at(make_store(tmp_path / "mlflow.db")):
        yield tmp_path / "mlflow.db"


@pytest.fixture
def few_directions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare sets of pictures along an eighth of the directions, where only their order counts."""
    # imported here: few tests need it
    from portrait_pipeline.metrics import swd  # noqa: PLC0415

    monkeypatch.setattr(swd, "NUM_DIRECTIONS", swd.NUM_DIRECTIONS // 8)


@pytest.fixture
def hostile_server() -> Iterator[HostileServer]:
    """A local web server that cuts, refuses and lies as the test tells it."""
    with hostile_http_server() as server:
        yield server


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip("a small file system cannot be mounted here (needs root and tmpfs)")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny model, as it is shipped; to be copied before it is changed."""
    # imported here: few tests need the exporter
    from support.tiny_model import tiny_checkpoint  # noqa: PLC0415

    from portrait_pipeline.portrayal.shipping import About, ship_model  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("shipped") / "model"
    about = About("2026.1", "a test", "no pictures", "CC0-1.0")
    ship_model([tiny_checkpoint()], about, folder)
    return folder
