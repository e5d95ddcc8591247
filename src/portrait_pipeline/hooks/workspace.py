"""One run at a time in a workspace, which is tidied before it starts."""

import logging
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import AbstractVersionedDataset, DataCatalog
from kedro.pipeline import Pipeline

from portrait_pipeline.datasets.places import location
from portrait_pipeline.datasets.workspace_lock import WorkspaceLock
from portrait_pipeline.files import remove_unfinished
from portrait_pipeline.hooks.commands import command_of
from portrait_pipeline.hooks.processes import is_rank_zero

logger = logging.getLogger(__name__)

LOCK = "workspace_lock"


class WorkspaceHook:
    """Holds the lock of the workspace while a pipeline runs.

    Of the processes that train one model together the first takes it and the others share it, so
    that none of them still works when another run starts.
    """

    def __init__(self) -> None:
        self._lock: WorkspaceLock | None = None

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Take the lock, then remove unfinished files of killed runs.

        Raises:
            PortraitPipelineError: if another run holds it, naming that run.
        """
        self._release()  # a run that ended before its first node says nothing of its end
        if LOCK not in catalog:
            return
        self._lock = catalog.load(LOCK)
        if not is_rank_zero():
            return
        if self._lock.acquire(command_of(run_params)[0]):
            _tidy(pipeline, catalog)
        else:
            logger.warning("the disk knows no locks: start no second run in this workspace")

    @hook_impl
    def after_dataset_loaded(self) -> None:
        """Share the lock in the other processes, once the first one has taken it."""
        if self._lock is not None and not is_rank_zero():
            self._lock.join()

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Give the lock back."""
        self._release()

    @hook_impl(trylast=True)
    def on_pipeline_error(self) -> None:
        """Give the lock back."""
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _tidy(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Remove unfinished files beside all that the pipeline writes."""
    for name in pipeline.all_outputs():
        path = location(catalog, name, of_version=False)
        if path is not None:
            remove_unfinished(path.parent)
            if isinstance(catalog.get(name), AbstractVersionedDataset) and path.is_dir():
                for version in path.iterdir():
                    remove_unfinished(version)
