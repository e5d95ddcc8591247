"""A project of a few drawn crops in a temporary folder, and `kedro run` in it as real processes.

The processes are forked from one that has imported what a run needs, which takes longer than the
small trainings here; what they run is Kedro's own command line.
"""

import multiprocessing
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from support.mlflow_store import make_store

from portrait_pipeline.cyclegan.checkpoint_files import read_checkpoint
from portrait_pipeline.datasets.face_set import FaceSetDataset
from portrait_pipeline.images import FaceSet

ROOT = Path(__file__).resolve().parents[2]
SIZE_PX = 32
SETTINGS = {
    "image_size_px": SIZE_PX,
    "num_generator_filters": 4,
    "num_residual_blocks": 1,
    "num_discriminator_filters": 4,
    "image_pool_size": 3,
    "num_validation_pictures": 2,
    "save_every_steps": 2,
}
COUNTS = {"train": 8, "validation": 2, "test": 2}
PRELOADED = ["kedro.framework.cli.cli", "kedro_mlflow.framework.cli.cli", "portrait_pipeline.cli"]
PRELOADED += ["portrait_pipeline.settings", "portrait_pipeline.pipeline_registry"]
PRELOADED += ["mlflow.store.tracking.sqlalchemy_store", "support.kedro_project"]

Arm = Callable[[], None]


@dataclass(frozen=True)
class KedroProject:
    """A copy of the configuration, with crops of noise in place of an ingestion.

    Attributes:
        folder: Where it lies.
        processes: Starts its processes.
        tracking_uri: Address of its MLflow store.
    """

    folder: Path
    processes: ForkServerContext
    tracking_uri: str

    def add_workspace(self, name: str) -> None:
        """Lay the crops and their splits where `--params workspace=<name>` looks for them."""
        primary = self.folder / "data" / "03_primary" / name
        primary.mkdir(parents=True)
        rows = []
        for seed, domain in enumerate(("photo", "painting")):
            names = tuple(f"{domain}-{i:02}.png" for i in range(sum(COUNTS.values())))
            shape = (len(names), SIZE_PX, SIZE_PX, 3)
            pixels = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
            FaceSetDataset(path=str(primary / f"{domain}_faces")).save(FaceSet(names, pixels))
            splits = np.repeat(list(COUNTS), list(COUNTS.values()))
            rows += [(name, domain, split) for name, split in zip(names, splits, strict=True)]
        table = pd.DataFrame(rows, columns=["name", "domain", "split"])
        table.to_csv(primary / "splits.csv", index=False)

    def run(
        self,
        arguments: list[str],
        arm: Arm | None = None,
        started: Callable[[int], object] | None = None,
    ) -> tuple[int, str]:
        """Run `kedro run --env=sample` in a process of its own, to its end.

        Args:
            arguments: Further words of the command line.
            arm: Called in the new process before anything runs.
            started: Called here with the id of the new process.

        Returns:
            Its exit code, -9 when it was killed, and what it printed.
        """
        output = self.folder / "output.txt"
        given = (self.folder, arguments, output, arm)
        process = self.processes.Process(target=run_kedro, args=given)
        process.start()
        if started is not None:
            started(int(process.pid or 0))
        process.join()
        return int(process.exitcode or 0), output.read_text(encoding="utf-8")

    def stop(self) -> None:
        """End the process that the others are forked from."""
        forkserver._forkserver._stop()

    def model(self, workspace: str) -> dict[str, Any]:
        """Read the checkpoint of the baseline that was trained in a workspace."""
        models = self.folder / "data" / "06_models" / workspace
        (path,) = models.glob("baseline.pt/*/baseline.pt")
        return read_checkpoint(path)

    def runs(self, workspace: str) -> list[Run]:
        """List the MLflow runs of a workspace."""
        client = MlflowClient(self.tracking_uri)
        experiment = client.get_experiment_by_name(f"portrait_pipeline/{workspace}")
        assert experiment is not None
        return list(client.search_runs([experiment.experiment_id]))


def make_project(folder: Path, tracking_uri: str | None = None) -> KedroProject:
    """Copy the configuration, with small settings; by default its MLflow store is in the folder."""
    shutil.copytree(ROOT / "conf", folder / "conf")
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "src").mkdir()
    sample = folder / "conf" / "sample"
    _change(sample / "parameters_training.yml", "training", SETTINGS)
    uri = tracking_uri or make_store(folder / "mlflow.db")
    project = KedroProject(folder, multiprocessing.get_context("forkserver"), uri)
    _change(sample / "mlflow.yml", "server", {"mlflow_tracking_uri": uri})
    project.processes.set_forkserver_preload(PRELOADED)
    return project


def training_in(workspace: str, *params: str) -> list[str]:
    """Return the words of `kedro run` that train the baseline in a workspace."""
    return [
        "--pipeline=train_baseline",
        f"--params={','.join([f'workspace={workspace}', *params])}",
    ]


@contextmanager
def trained_project(folder: Path, *params: str) -> Iterator[KedroProject]:
    """Make a project in which the workspace `whole` holds a training that nobody disturbed."""
    made = make_project(folder)
    made.add_workspace("whole")
    code, output = made.run(training_in("whole", *params))
    assert code == 0, output
    yield made
    made.stop()


def _change(file: Path, key: str, values: dict[str, Any]) -> None:
    settings = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
    settings[key] = {**settings.get(key, {}), **values}
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")


def run_kedro(folder: Path, arguments: list[str], output: Path, arm: Arm | None) -> None:
    """Be the process `kedro run --env=sample …` in the project's folder."""
    with output.open("w", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(folder)
    sys.argv = ["kedro", "run", "--env=sample", *arguments]
    from kedro.framework.cli.cli import main  # noqa: PLC0415  in the new process alone

    if arm is not None:
        arm()
    main()
