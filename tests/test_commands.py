"""`kedro portray` and the pipelines `portraits` and `export`, as they are typed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from kedro.io.core import Version
from PIL import Image
from support.kedro_commands import Outcome, copy_project, run_commands
from support.tiny_model import tiny_checkpoint

from portrait_pipeline.datasets.checkpoint import CheckpointDataset
from portrait_pipeline.sample import draw_photo

SAMPLE = ["--env", "sample"]
WITHOUT_TORCH = """
import json, sys
from pathlib import Path
from kedro.framework.cli.cli import KedroCLI
try:
    KedroCLI(Path.cwd()).main(args=json.loads(sys.argv[1]), prog_name="kedro")
except SystemExit as end:
    print("ended with", end.code)
print("torch" in sys.modules)
"""
FENCED = """
import importlib.abc, importlib.metadata, sys
from pathlib import Path
folder = Path(sys.argv[1])
plain = lambda name: name.lower().replace("_", "-")
lines = (folder / "requirements.txt").read_text().split()
allowed = {plain(line.partition("==")[0]) for line in lines}
owners = importlib.metadata.packages_distributions()
class Fence(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        foreign = top in owners and not {plain(owner) for owner in owners[top]} & allowed
        if foreign or top == "portrait_pipeline":
            raise ModuleNotFoundError(f"{name} is not among the requirements", name=name)
sys.meta_path.insert(0, Fence())
import mlflow.pyfunc, numpy
faces = numpy.repeat(numpy.load(next(folder.rglob("example.npy"))), 3, axis=0)
painted = mlflow.pyfunc.load_model(str(folder)).predict(faces)["portraits"]
print(painted.shape == faces.shape, painted.dtype, "torch" in sys.modules)
"""


def python(project: Path, *arguments: str) -> str:
    """Run Python in the project's folder; return what it printed at last."""
    environment = {**os.environ, "PYTHONPATH": str(project / "src")}
    done = subprocess.run(
        [sys.executable, "-c", *arguments],
        cwd=project, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two tiny trained models and a folder of two photos and a text."""
    folder = copy_project(tmp_path_factory.mktemp("project"))
    for model in ("baseline", "proposed"):
        path = folder / f"data/06_models/sample/{model}.pt"
        CheckpointDataset(filepath=str(path), version=Version(None, None)).save(
            tiny_checkpoint(model)
        )
    photos = folder / "photos"
    photos.mkdir()
    for index in range(2):
        Image.fromarray(draw_photo(index, 1, 160).photo).save(photos / f"p{index}.png")
    (photos / "notes.jpg").write_text("no picture")
    return folder


@pytest.fixture(scope="module")
def outcomes(project: Path) -> dict[str, Outcome]:
    """What each command said, in the order in which a person types them."""
    portray = ["portray", *SAMPLE, "--runtime", "torch"]
    commands = {
        "not exported": ["portray", *SAMPLE, "photos", "--out", "o0", "--runtime", "onnx"],
        "folder": [*portray, "photos", "--out", "o1"],
        "again": [*portray, "photos", "--out", "o1"],
        "forced": [*portray, "photos/p0.png", "--out", "o1", "--force"],
        "compare": [*portray, "photos/p0.png", "--out", "o2", "--compare"],
        "missing": [*portray, "nowhere.png", "--out", "o3"],
        "into itself": [*portray, "photos", "--out", "photos"],
        "other settings": [*portray, "photos/p0.png", "--out=o6", "--model=proposed", "--params",
                           "workspace=other,portraying.detection_size_px=64"],
        "a judge": [*portray, "photos/p0.png", "--out=o7", "--params", "evaluation.judge=nobody"],
        "a typo": [*portray, "photos/p0.png", "--out=o8", "--params", "evaluatoin.judge=dlib"],
        "a size": [*portray, "photos/p0.png", "--out=o9", "--params",
                   "portraying.detection_size_px=7"],
        "app, a typo": ["app", *SAMPLE, "--params", "evaluatoin.judge=dlib"],
        "app, a size": ["app", *SAMPLE, "--params", "portraying.batch_size=0"],
        "no model": [*portray, "photos/p0.png", "--out", "o4", "--model", "lambda_7"],
        "portraits": ["run", *SAMPLE, "--pipeline", "portraits", "--params",
                      f"pictures_folder={project / 'photos'}"],
        "export": ["run", *SAMPLE, "--pipeline", "export"],
    }  # fmt: skip
    ended = run_commands(project, list(commands.values()), dict(os.environ))
    return dict(zip(commands, ended, strict=True))


def test_a_folder_ends_with_a_table_and_a_code(outcomes: dict[str, Outcome], project: Path) -> None:
    """Each file has its line; the code is 3 because one of them is no picture."""
    assert outcomes["folder"].code == 3, outcomes["folder"].output
    assert "notes.jpg: not an image" in outcomes["folder"].output
    assert "2 of 3 photos portrayed" in outcomes["folder"].output
    names = sorted(path.name for path in (project / "o1").iterdir())
    assert names == ["p0_portrait.png", "p1_portrait.png"]


def test_only_force_overwrites(outcomes: dict[str, Outcome]) -> None:
    """A second run refuses and names the option; with it, it works."""
    assert outcomes["again"].code == 1
    assert "--force" in outcomes["again"].output
    assert outcomes["forced"].code == 0, outcomes["forced"].output


def test_compare_writes_a_strip(outcomes: dict[str, Outcome], project: Path) -> None:
    """Photo, baseline and proposed stand in one picture."""
    assert outcomes["compare"].code == 0, outcomes["compare"].output
    with Image.open(project / "o2/p0_comparison.png") as strip:
        assert strip.width == 3 * 256 + 4 * 12


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("not exported", "--pipeline=export"),
        ("missing", "nowhere.png is not there"),
        ("into itself", "expected another folder"),
        ("no model", "lambda_7"),
        ("other settings", "the model proposed is not trained yet"),
        ("a judge", "nobody"),
        ("a typo", "evaluatoin"),
        ("a size", "detection_size_px is 7"),
        ("app, a typo", "evaluatoin"),
        ("app, a size", "batch_size is 0"),
    ],
)
def test_mistakes_are_one_sentence(outcomes: dict[str, Outcome], name: str, says: str) -> None:
    """What cannot be done is said with what fixes it, without a stack trace."""
    assert outcomes[name].code == 1
    assert says in outcomes[name].output
    assert "Traceback" not in outcomes[name].output


def test_the_pipeline_does_the_same(outcomes: dict[str, Outcome], project: Path) -> None:
    """Folder in, folder out, through the catalog; the table is kept."""
    assert outcomes["portraits"].code == 0, outcomes["portraits"].output
    out = project / "data/07_model_output/sample"
    assert len(list((out / "portraits").glob("*_portrait.png"))) == 2
    assert "not read" in (out / "portraits.csv").read_text()


def test_exported_models_run_without_pytorch(outcomes: dict[str, Outcome], project: Path) -> None:
    """`--runtime onnx` makes the portrait and never imports torch."""
    assert outcomes["export"].code == 0, outcomes["export"].output
    options = ["portray", "photos/p0.png", "--out", "o5", "--runtime", "onnx", *SAMPLE]
    said = python(project, WITHOUT_TORCH, json.dumps(options))
    assert "1 of 1 photos portrayed" in said
    assert said.split()[-1] == "False"
    assert (project / "o5/p0_portrait.png").is_file()


def test_the_registered_model_needs_its_requirements_alone(
    outcomes: dict[str, Outcome], project: Path
) -> None:
    """MLflow loads it where nothing but the logged, locked requirements can be imported."""
    assert outcomes["export"].code == 0, outcomes["export"].output
    models = [path.parent for path in (project / "mlartifacts").rglob("MLmodel")]
    assert len(models) == 2
    lines = (models[0] / "requirements.txt").read_text().split()
    assert all(re.fullmatch(r"[\w.\-]+==[\w.+!]+", line) for line in lines)
    about = (models[0] / "MLmodel").read_text()
    assert "signature" in about
    assert '"name": "portraits"' in about
    assert "saved_input_example_info" in about
    assert python(project, FENCED, str(models[0])).split()[-3:] == ["True", "uint8", "False"]
