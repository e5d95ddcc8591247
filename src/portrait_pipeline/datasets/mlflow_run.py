"""One MLflow run per model. Nodes get it from the catalog and never import MLflow."""

import importlib.metadata
import logging
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
from sqlalchemy.exc import SQLAlchemyError

from portrait_pipeline.datasets.pipeline_run import PIPELINE_RUN, PipelineRun
from portrait_pipeline.datasets.run_description import (
    COMMAND,
    NOTE,
    dataset_input,
    describe_training,
)
from portrait_pipeline.datasets.run_owner import OWNER_TAG, owner
from portrait_pipeline.errors import TrackingLostError
from portrait_pipeline.masking import mask_secrets, mask_values

logger = logging.getLogger(__name__)

EXPERIMENT = "portrait_pipeline"  # where no pipeline has a run open
TRACKED_LIBRARIES = ("kedro", "mlflow", "numpy", "torch", "torchvision", "facenet-pytorch")
MAX_PARAMS_PER_CALL = 100
MAX_REASON = 200
LARGEST_WHOLE = 1e15  # above it a float no longer tells neighbouring whole numbers apart
SOURCE = "mlflow.source.name"
INHERITED_TAGS = (
    *("mlflow.source.git.commit", SOURCE, "mlflow.source.type", "mlflow.user"),
    *("git_commit", COMMAND),
)


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turn nested settings into one level, `outer.inner`, as MLflow's tables need it."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def written_setting(value: Any) -> str:
    """Write a setting as people search for it in MLflow: 5.0 as `5`, secrets masked."""
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_WHOLE:
        return str(int(value))
    return str(mask_values(value))


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that decide a result."""
    return {name: importlib.metadata.version(name) for name in TRACKED_LIBRARIES}


@contextmanager
def store_answers() -> Iterator[None]:
    """Say in one sentence what to start when MLflow's store fails.

    Raises:
        TrackingLostError: in place of what MLflow, its database or the network raises, or that
            the database's driver is not installed.
    """
    try:
        yield
    except (mlflow.MlflowException, OSError, SQLAlchemyError, ImportError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        store, reason = mask_secrets(mlflow.get_tracking_uri()), mask_secrets(lines[0])
        raise TrackingLostError(store, reason[:MAX_REASON]) from error


class MlflowRunTracker:
    """Writes one model's run, which names the pipeline's run where one is open.

    Implements `cyclegan.services.RunTracker`. It names its run in every call, so it neither needs
    nor disturbs MLflow's notion of an active run and experiment. While a model is trained all of
    it raises `TrackingLostError` when the store does not answer; after `attach`, which is for
    numbers that the tables hold too, it only warns.

    Args:
        model: Name of the model, for its numbers where they cannot go into a run of its own.
    """

    def __init__(self, model: str = "model") -> None:
        self._client = MlflowClient()
        self._run_id: str | None = None
        self._model, self._prefix = model, ""
        self._only_reports = False

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
            tags: Further tags; `data_hash` names the training pictures.
            tracking_id: The run to go on with; a new one is opened where the store no longer has
                it, or it was deleted in the UI.
        """
        versions = {f"version.{key}": value for key, value in library_versions().items()}
        with store_answers():
            self._run_id = (
                self._reopened(tracking_id) or self._begun_elsewhere(name) or self._created(name)
            )
            self._log(parameters, {**tags, **versions})
            self._describe(name, parameters)
            weight = parameters.get("lambda_perceptual")
            if tracking_id is None and isinstance(weight, int | float):  # as a number it sorts
                self._client.log_metric(self._id, "lambda_perceptual", float(weight), step=0)
        return self._run_id

    def attach(self, tracking_id: str) -> None:
        """Write into the run of a trained model; into the pipeline's own where that is gone."""
        self._only_reports = True
        with self._warns():
            if self._find(tracking_id) is not None:
                self._run_id = tracking_id
                return
            pipelines_own = PipelineRun.of_this_process()
            self._run_id = None if pipelines_own is None else pipelines_own.run_id
            self._prefix = f"{self._model}."
            logger.warning(
                "the MLflow run that trained %s is gone; its scores go into the pipeline's run",
                self._model,
            )

    def add_to_tag(self, key: str, value: str) -> None:
        """Add a word to a tag that lists several, such as the judges that scored a model."""
        with self._warns():
            if self._run_id is None:
                return
            tag = self._prefix + key
            known = self._client.get_run(self._run_id).data.tags.get(tag, "")
            words = sorted({value, *known.split(", ")} - {""})
            self._client.set_tag(self._run_id, tag, ", ".join(words))

    def last_step(self, metric: str) -> int:
        """Return the last step of one metric's curve, or -1 where it has no point."""
        with store_answers():
            history = self._client.get_metric_history(self._id, metric)
        return max((int(point.step) for point in history), default=-1)

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Add one point to each metric's curve."""
        now = int(time.time() * 1000)
        points = [
            Metric(self._prefix + key, float(value), now, step) for key, value in metrics.items()
        ]
        if self._only_reports and self._run_id is None:
            return
        with self._warns() if self._only_reports else store_answers():
            self._client.log_batch(self._id, metrics=points)

    def log_image(self, key: str, image: NDArray[np.uint8], step: int = 0) -> None:
        """Keep a picture, uint8 (height, width, 3), under `key` and `step`."""
        with store_answers():
            self._client.log_image(self._id, image, key=key, step=step)

    def log_file(self, path: str, folder: str) -> None:
        """Copy a file into the run's artifacts."""
        with store_answers():
            self._client.log_artifact(self._id, path, folder)

    def finish(self, status: str = "FINISHED") -> None:
        """Close the run: FINISHED, FAILED or KILLED."""
        with store_answers():
            self._client.set_terminated(self._id, status)

    @contextmanager
    def _warns(self) -> Iterator[None]:
        """Continue without the store: what is written here is in the catalog too."""
        try:
            with store_answers():
                yield
        except TrackingLostError as error:
            logger.warning("%s; the scores of %s are in the tables", error.remedy, self._model)

    @property
    def _id(self) -> str:
        if self._run_id is None:
            raise RuntimeError("start() or attach() comes before anything is logged")
        return self._run_id

    def _reopened(self, tracking_id: str | None) -> str | None:
        """Open the run of an interrupted training, under the pipeline that resumes it."""
        run = None if tracking_id is None else self._find(tracking_id)
        if run is None:
            return None
        self._client.update_run(run.info.run_id, status="RUNNING")
        self._client.set_tag(run.info.run_id, OWNER_TAG, owner())
        former, parent = run.data.tags.get(PIPELINE_RUN), PipelineRun.of_this_process()
        if parent is not None and former is not None and former != parent.run_id:
            self._client.set_tag(run.info.run_id, PIPELINE_RUN, parent.run_id)
            killed = self._find(former)  # it could not close its own run
            if killed is not None and killed.info.status == "RUNNING":
                self._client.set_terminated(former, "KILLED")
        return str(run.info.run_id)

    def _find(self, run_id: str) -> Run | None:
        return find_run(self._client, run_id)

    def _created(self, name: str) -> str:
        parent = PipelineRun.of_this_process()
        tags = {"mlflow.runName": name, "model": name, OWNER_TAG: owner()}
        if parent is None:
            experiment = self._own_experiment()
        else:
            its_run = self._client.get_run(parent.run_id)
            experiment, known = its_run.info.experiment_id, its_run.data.tags
            tags |= {key: known[key] for key in INHERITED_TAGS if key in known}
            tags[PIPELINE_RUN] = parent.run_id
        run_id: str = self._client.create_run(experiment, tags=tags).info.run_id
        return run_id

    def _begun_elsewhere(self, name: str) -> str | None:
        """Go on in the run that a worker opened for this model, and was lost before it saved."""
        parent = PipelineRun.of_this_process()
        run_id = None if parent is None else parent.open_child(name)
        return None if run_id is None else self._reopened(run_id)

    def _own_experiment(self) -> str:
        known = self._client.get_experiment_by_name(EXPERIMENT)
        return str(known.experiment_id if known else self._client.create_experiment(EXPERIMENT))

    def _log(self, parameters: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        logged = self._client.get_run(self._id).data.params  # MLflow lets no parameter change
        params = [
            Param(key, written_setting(value))
            for key, value in flatten(mask_values(parameters)).items()
            if key not in logged
        ]
        written = [RunTag(key, mask_secrets(str(value))) for key, value in tags.items()]
        self._client.log_batch(self._id, tags=written)
        for first in range(0, len(params), MAX_PARAMS_PER_CALL):
            self._client.log_batch(self._id, params=params[first : first + MAX_PARAMS_PER_CALL])

    def _describe(self, name: str, parameters: Mapping[str, Any]) -> None:
        run = self._client.get_run(self._id)
        tags, of_pipeline = run.data.tags, run.data.tags.get(PIPELINE_RUN)
        page = f"#/experiments/{run.info.experiment_id}/runs/{of_pipeline}"
        note = describe_training(name, parameters, tags, page if of_pipeline else None)
        self._client.set_tag(self._id, NOTE, note)
        if "data_hash" in tags:
            pictures = dataset_input("training_pictures", tags["data_hash"], "training")
            self._client.log_inputs(self._id, [pictures])


def find_run(client: MlflowClient, run_id: str) -> Run | None:
    """Return a run, or None where the store does not have it or it was deleted in the UI."""
    try:
        run = client.get_run(run_id)
    except mlflow.MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
    return run if run.info.lifecycle_stage == "active" else None


class MlflowRunDataset(AbstractDataset[None, MlflowRunTracker]):
    """Gives a node the tracker of one model; it has no run until the node starts one."""

    def __init__(self, *, model: str = "model", metadata: dict[str, Any] | None = None) -> None:
        self._model = model
        self.metadata = metadata

    def load(self) -> MlflowRunTracker:
        """Return a tracker that has no run yet."""
        return MlflowRunTracker(self._model)

    def save(self, data: None) -> None:
        """Refuse to save: nodes write through the tracker that they get as an input."""
        raise TypeError("an MLflow run is an input only")

    def _describe(self) -> dict[str, Any]:
        return {"model": self._model}
