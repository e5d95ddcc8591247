"""What runs in a worker of the cluster: a group of nodes, and word of them to the command."""

import logging
import os
import shutil
import signal
import socket
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kedro.framework.hooks.manager import _NullPluginManager
from kedro.framework.project import configure_project
from kedro.io import AbstractDataset, AbstractVersionedDataset, DataCatalog
from kedro.pipeline.node import Node
from kedro.runner import Task

from portrait_pipeline.datasets.pipeline_run import PipelineRun
from portrait_pipeline.errors import PortraitPipelineError, TrainingInterruptedError
from portrait_pipeline.runners.mailbox import Event, Outbox

FORWARDED = "portrait_pipeline"
"""The logger whose lines are shown by the command."""


@dataclass(frozen=True)
class Outcome:
    """How a group ended.

    Attributes:
        kind: `stopped` when a signal came, so that it can go on elsewhere.
        host: Where it ran.
        node: The node that did not end well.
        sentence: What happened.
        is_for_people: The sentence says what to do; otherwise the traceback is needed.
        traceback: Of the error, as text.
    """

    kind: Literal["done", "failed", "stopped"]
    host: str
    node: str = ""
    sentence: str = ""
    is_for_people: bool = True
    traceback: str = ""


@dataclass(frozen=True)
class GroupTask:
    """All that a worker needs to run a group.

    Attributes:
        number: Of the group.
        nodes: In order.
        datasets: Those that the nodes read or write, by name.
        kept: Names of outputs in memory that other groups read.
        folder: The command's working directory.
        package_name: Kedro's name of the project; None outside of a project.
        pipeline_run: The pipeline's MLflow run, if there is one.
    """

    number: int
    nodes: tuple[Node, ...]
    datasets: Mapping[str, AbstractDataset[Any, Any]]
    kept: tuple[str, ...]
    folder: str
    package_name: str | None
    pipeline_run: PipelineRun | None


def run_group(
    task: GroupTask, values: Mapping[str, Any], outbox: Outbox, host_id: str
) -> tuple[Outcome, list[Any]]:
    """Run the nodes of a group; return how it ended, and the outputs that are kept in memory.

    Errors are returned in words: an exception of a library may not survive the way to the command.
    """
    _prepare(task)
    for dataset in task.datasets.values():
        forget_versions(dataset)
    catalog = DataCatalog(dict(task.datasets))
    for name, value in values.items():
        catalog[name].save(value)
    host, running = socket.gethostname(), task.nodes[0]
    try:
        with _forwarded_lines(task.number, outbox):
            for running in task.nodes:
                outbox.send(Event("started", task.number, running.name, host, host_id))
                _run_node(running, catalog)
                outbox.send(Event("done", task.number, running.name, host, host_id))
        kept = [catalog[name].load() for name in task.kept]
        outcome = Outcome("done", host)
    except (TrainingInterruptedError, KeyboardInterrupt) as error:
        outcome, kept = Outcome("stopped", host, running.name, str(error)), []
    except Exception as error:
        outcome, kept = failure(running.name, host, error), []
    outbox.flush()
    return outcome, kept or [None] * len(task.kept)


def failure(node: str, host: str, error: BaseException) -> Outcome:
    """Say in one sentence why a node failed: that of the innermost error meant for people."""
    words = traceback.format_exception(error)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PortraitPipelineError):
            return Outcome("failed", host, node, str(cause), traceback="".join(words))
        cause = cause.__cause__
    sentence = f"{type(error).__name__}: {error}"
    return Outcome("failed", host, node, sentence, False, "".join(words))


def _prepare(task: GroupTask) -> None:
    """Make this process look to the nodes as the command's does, and one that can be cancelled.

    Ray cancels a task by SIGINT, which is ignored here when the command runs in the background.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(task.folder)
    if task.package_name is not None:
        configure_project(task.package_name)
    if task.pipeline_run is not None:
        task.pipeline_run.hand_over()


def _run_node(node: Node, catalog: DataCatalog) -> None:
    """Load, compute and save; the hooks are called where the command runs."""
    for name in node.outputs:
        _remove_own_version(catalog[name])
    Task(node, catalog, is_async=False, hook_manager=_NullPluginManager()).execute()  # type: ignore[arg-type]


def forget_versions(dataset: AbstractDataset[Any, Any]) -> None:
    """Let a dataset look anew for its latest version, which another process may have saved."""
    if isinstance(dataset, AbstractVersionedDataset):
        dataset.release()


def _remove_own_version(dataset: AbstractDataset[Any, Any]) -> None:
    """Remove what this run saved of a node whose host was then lost: Kedro saves no version twice.

    The name of the version is this run's own, so nothing else can be there.
    """
    if not isinstance(dataset, AbstractVersionedDataset):
        return
    version = dataset.resolve_save_version()
    if version:
        shutil.rmtree(Path(str(dataset._get_versioned_path(version))).parent, ignore_errors=True)


@contextmanager
def _forwarded_lines(group: int, outbox: Outbox) -> Iterator[None]:
    """Send the lines that this project logs to the command, which shows them as its own."""
    handler, logger = _Forward(group, outbox), logging.getLogger(FORWARDED)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Forward(logging.Handler):
    def __init__(self, group: int, outbox: Outbox) -> None:
        super().__init__(logging.INFO)
        self._group, self._outbox = group, outbox

    def emit(self, record: logging.LogRecord) -> None:
        """Send a line; its arguments are put in here, since they may not travel."""
        kept = ("name", "levelno", "levelname", "pathname", "lineno", "created")
        values = {key: getattr(record, key) for key in kept}
        line = {**values, "msg": record.getMessage(), "args": None}
        self._outbox.send(Event("line", self._group, record=line))
