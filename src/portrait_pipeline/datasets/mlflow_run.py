"""One MLflow run per model, handed to the nodes by the catalog: they never import MLflow."""

import importlib.metadata
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import mlflow
import numpy as np
from kedro.io import AbstractDataset
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.tracking import MlflowClient
from numpy.typing import NDArray

from portrait_pipeline.errors import TrackingLostError

EXPERIMENT = "portrait_pipeline"  # where no pipeline has a run open
TRACKED_LIBRARIES = ("kedro", "mlflow", "numpy", "torch", "torchvision", "facenet-pytorch")
MAX_PARAMS_PER_CALL = 100
MAX_REASON = 200
PARENT = "mlflow.parentRunId"


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turn nested settings into one level, `outer.inner`, as MLflow's tables need it."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that decide a result."""
    return {name: importlib.metadata.version(name) for name in TRACKED_LIBRARIES}


@contextmanager
def _store_answers() -> Iterator[None]:
    """Say in one sentence what to start when MLflow's store fails."""
    try:
        yield
    except (mlflow.MlflowException, OSError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        store = re.sub(r"//[^/@]*@", "//", mlflow.get_tracking_uri())  # without a password
        raise TrackingLostError(store, lines[0][:MAX_REASON]) from error


class MlflowRunTracker:
    """Writes one model's run, nested under the pipeline's run where one is open.

    Implements `cyclegan.services.RunTracker`. It names its run in every call, so it neither needs
    nor disturbs MLflow's notion of an active run and experiment. All of it raises
    `TrackingLostError` when the store does not answer.
    """

    def __init__(self) -> None:
        self._client = MlflowClient()
        self._run_id: str | None = None

    def start(
        self,
        name: str,
        parameters: Mapping[str, Any],
        tags: Mapping[str, str],
        tracking_id: str | None = None,
    ) -> str:
        """Open a new run, or go on in the run `tracking_id`; returns the run's id.

        Args:
            name: The model's name, shown in MLflow's table.
            parameters: Settings; nested ones are flattened.
            tags: Further tags, such as the hash of the data.
            tracking_id: The run to go on with; one that the store no longer has starts anew.
        """
        versions = {f"version.{key}": value for key, value in library_versions().items()}
        with _store_answers():
            self._run_id = self._reopened(tracking_id) or self._created(name)
            self._log(parameters, {**tags, **versions})
        return self._run_id

    def attach(self, tracking_id: str) -> None:
        """Write into an existing run, such as that of a model that is being judged."""
        self._run_id = tracking_id

    def last_step(self, metric: str) -> int:
        """Return the last step of one metric's curve, or -1 where it has no point."""
        with _store_answers():
            history = self._client.get_metric_history(self._id, metric)
        return max((int(point.step) for point in history), default=-1)

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Add one point to each metric's curve."""
        now = int(time.time() * 1000)
        points = [Metric(key, float(value), now, step) for key, value in metrics.items()]
        with _store_answers():
            self._client.log_batch(self._id, metrics=points)

    def log_image(self, key: str, image: NDArray[np.uint8], step: int = 0) -> None:
        """Keep a picture, uint8 (height, width, 3), under `key` and `step`."""
        with _store_answers():
            self._client.log_image(self._id, image, key=key, step=step)

    def log_file(self, path: str, folder: str) -> None:
        """Copy a file into the run's artifacts."""
        with _store_answers():
            self._client.log_artifact(self._id, path, folder)

    def finish(self, status: str = "FINISHED") -> None:
        """Close the run: FINISHED, FAILED or KILLED."""
        with _store_answers():
            self._client.set_terminated(self._id, status)

    @property
    def _id(self) -> str:
        if self._run_id is None:
            raise RuntimeError("start() or attach() comes before anything is logged")
        return self._run_id

    def _reopened(self, tracking_id: str | None) -> str | None:
        """Open the run of an interrupted training; the pipeline that goes on becomes its parent."""
        run = None if tracking_id is None else self._find(tracking_id)
        if run is None:
            return None
        self._client.update_run(run.info.run_id, status="RUNNING")
        former, parent = run.data.tags.get(PARENT), mlflow.active_run()
        if parent is not None and former is not None and former != parent.info.run_id:
            self._client.set_tag(run.info.run_id, PARENT, parent.info.run_id)
            killed = self._find(former)  # it could not close its own run
            if killed is not None and killed.info.status == "RUNNING":
                self._client.set_terminated(former, "KILLED")
        return str(run.info.run_id)

    def _find(self, run_id: str) -> Run | None:
        try:
            return self._client.get_run(run_id)
        except mlflow.MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise

    def _created(self, name: str) -> str:
        parent = mlflow.active_run()
        tags = {"mlflow.runName": name, "model": name}
        if parent is None:
            experiment = self._own_experiment()
        else:
            experiment = parent.info.experiment_id
            tags |= _inherited_tags(parent.data.tags)
            tags[PARENT] = parent.info.run_id
        run_id: str = self._client.create_run(experiment, tags=tags).info.run_id
        return run_id

    def _own_experiment(self) -> str:
        known = self._client.get_experiment_by_name(EXPERIMENT)
        return str(known.experiment_id if known else self._client.create_experiment(EXPERIMENT))

    def _log(self, parameters: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        params = [Param(key, str(value)) for key, value in flatten(parameters).items()]
        self._client.log_batch(self._id, tags=[RunTag(key, str(v)) for key, v in tags.items()])
        for first in range(0, len(params), MAX_PARAMS_PER_CALL):
            self._client.log_batch(self._id, params=params[first : first + MAX_PARAMS_PER_CALL])


def _inherited_tags(tags: Mapping[str, str]) -> dict[str, str]:
    kept = ("mlflow.source.git.commit", "mlflow.user", "git_commit", "workspace")
    return {key: tags[key] for key in kept if key in tags}


class MlflowRunDataset(AbstractDataset[None, MlflowRunTracker]):
    """Hands a node the tracker of one model; it has no run until the node starts one."""

    def __init__(self, *, metadata: dict[str, Any] | None = None) -> None:
        self.metadata = metadata

    def load(self) -> MlflowRunTracker:
        """Return a tracker that has no run yet."""
        return MlflowRunTracker()

    def save(self, data: None) -> None:
        """Refuse: nodes write through the tracker that they were handed."""
        raise TypeError("an MLflow run is an input only")

    def _describe(self) -> dict[str, Any]:
        return {}
