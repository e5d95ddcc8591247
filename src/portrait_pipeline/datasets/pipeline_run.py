"""The pipeline's MLflow run, named in full where another process than the command's writes."""

from dataclasses import dataclass

import mlflow
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

PIPELINE_RUN = "pipeline_run"
"""Tag of a model's run with the id of the pipeline's. Not MLflow's `parentRunId`, which hides the
models: its table shows runs with a parent only after a click on the parent."""
MAX_CHILDREN = 10_000


@dataclass(frozen=True)
class PipelineRun:
    """A run by its store and id: both, since an id alone is looked for in another store.

    Attributes:
        tracking_uri: Address of the store.
        run_id: The run's id.
    """

    tracking_uri: str
    run_id: str

    @staticmethod
    def of_this_process() -> "PipelineRun | None":
        """Return the run that is open here, or that was handed over to this process."""
        active = mlflow.active_run()
        if active is None:
            return _HandedOver.run
        return PipelineRun(mlflow.get_tracking_uri(), active.info.run_id)

    def hand_over(self) -> None:
        """Make it the pipeline's run of this process, a worker, which must not close it."""
        mlflow.set_tracking_uri(self.tracking_uri)
        _HandedOver.run = self

    def close_open_children(self, status: str) -> None:
        """Close the runs of models that their workers could not close."""
        for child in self._open_children():
            MlflowClient(self.tracking_uri).set_terminated(child.info.run_id, status)

    def open_child(self, model: str) -> str | None:
        """Return the id of the run that is open for a model of this pipeline, if there is one."""
        of_model = [run for run in self._open_children() if run.data.tags.get("model") == model]
        return str(of_model[0].info.run_id) if of_model else None

    def _open_children(self) -> list[Run]:
        client = MlflowClient(self.tracking_uri)
        experiment = client.get_run(self.run_id).info.experiment_id
        which = f"tags.`{PIPELINE_RUN}` = '{self.run_id}' and attributes.status = 'RUNNING'"
        return list(client.search_runs([experiment], which, max_results=MAX_CHILDREN))


class _HandedOver:
    """What a worker was handed; MLflow's own active run would be closed when the worker ends."""

    run: PipelineRun | None = None
