"""What several hosts must have in common: the data, the stores, and the versions of the code."""

import hashlib
import importlib.metadata
import logging
import os
import platform
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import mlflow
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

import portrait_pipeline
from portrait_pipeline.datasets.mlflow_run import TRACKED_LIBRARIES
from portrait_pipeline.datasets.places import location
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.masking import mask_secrets
from portrait_pipeline.runners.cluster import INSTALL, Host

logger = logging.getLogger(__name__)

SECONDS_A_WAIT = 20.0
NUM_WAITS = 6
MIN_FREE_BYTES = 100 * 2**20
SERVERS = ("http://", "https://", "databricks", "uc:")
SQLITE = (".sqlite", ".db")


@dataclass(frozen=True)
class HostFacts:
    """What a host says of itself.

    Attributes:
        versions: Of Python and of the libraries that decide a result, and a hash of our code.
        sees_data: It finds the file that the command has just put among the data.
        free_bytes: On the disk of the data, as the host sees it.
    """

    versions: Mapping[str, str]
    sees_data: bool
    free_bytes: int


def check_hosts(
    ray: Any,
    hosts: Sequence[Host],
    environment: Mapping[str, Any],
    pipeline: Pipeline,
    catalog: DataCatalog,
) -> None:
    """Refuse hosts that run another version, or do not share what the pipeline needs.

    Args:
        ray: The module, connected.
        hosts: Of the cluster.
        environment: Of the nodes, so that their processes are asked.
        pipeline: That is to run.
        catalog: Its datasets.

    Raises:
        PortraitPipelineError: naming the setting to change, or the host to set up.
    """
    located = ((name, location(catalog, name)) for name in sorted(pipeline.datasets()))
    places = {name: path for name, path in located if path is not None}
    if len({host.name for host in hosts}) > 1:
        refuse_files_of_one_host(mlflow.get_tracking_uri(), places)
    if not places:
        return
    folder = Path(os.path.commonpath([str(path.parent) for path in places.values()]))
    folder.mkdir(parents=True, exist_ok=True)
    marker = folder / f".{uuid4().hex}.part"
    marker.touch()
    try:
        here = host_facts(str(marker))
        for host, there in zip(hosts, _ask(ray, hosts, environment, str(marker)), strict=True):
            fault = fault_of(host.name, folder, here, there)
            if fault is not None:
                raise PortraitPipelineError(fault)
    finally:
        marker.unlink(missing_ok=True)


def refuse_files_of_one_host(tracking_uri: str, places: Mapping[str, Path]) -> None:
    """Refuse stores that several hosts cannot write at once.

    Args:
        tracking_uri: Of MLflow.
        places: Where the datasets lie, by name.

    Raises:
        PortraitPipelineError: naming the setting.
    """
    if not tracking_uri.startswith(SERVERS):
        raise PortraitPipelineError(
            f"MLflow's store is {mask_secrets(tracking_uri)}, which the hosts of a cluster cannot"
            " share: start `mlflow server`, and set MLFLOW_TRACKING_URI, or"
            " server.mlflow_tracking_uri in mlflow.yml, to its http address (see docs/scaling.md)"
        )
    for name, path in places.items():
        if path.suffix in SQLITE:
            raise PortraitPipelineError(
                f"{name} is the SQLite file {path}, which the hosts of a cluster cannot share: give"
                " it a type that writes a file for each shard, as conf/cluster/catalog.yml does"
            )


def fault_of(name: str, folder: Path, here: HostFacts, there: HostFacts | str) -> str | None:
    """Say in one sentence what a host lacks; None where it lacks nothing.

    Args:
        name: The host.
        folder: Where the data lie.
        here: What the command's host says.
        there: What the host says, or why it says nothing.
    """
    if isinstance(there, str):
        return f"the host {name} cannot run this project ({there}): install it there, {INSTALL}"
    for library, version in here.versions.items():
        other = there.versions.get(library, "none")
        if other != version:
            return (
                f"the host {name} has {library} {other}, expected {version} as here: install the"
                f" same project there, {INSTALL}"
            )
    if not there.sees_data:
        return (
            f"the host {name} does not see {folder}, expected a folder that all hosts share: mount"
            " it there under the same path, or keep the project in such a folder"
        )
    if there.free_bytes < MIN_FREE_BYTES:
        return (
            f"the disk of {folder} has {there.free_bytes / 2**20:.0f} MiB left as {name} sees it,"
            f" expected {MIN_FREE_BYTES / 2**20:.0f}: free space on it"
        )
    return None


def host_facts(marker: str) -> HostFacts:
    """Say what this host has; runs on each of them."""
    versions = {name: _version(name) for name in (*TRACKED_LIBRARIES, "ray")}
    versions["Python"] = platform.python_version()
    versions["portrait_pipeline"] = _hash_of_code()
    sees = Path(marker).is_file()
    free = shutil.disk_usage(Path(marker).parent).free if sees else 0
    return HostFacts(versions, sees, free)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _hash_of_code() -> str:
    folder, digest = Path(portrait_pipeline.__file__).parent, hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return f"with code {digest.hexdigest()[:12]}"


def _ask(
    ray: Any, hosts: Iterable[Host], environment: Mapping[str, Any], marker: str
) -> list[HostFacts | str]:
    """Ask every host for its facts, which takes no core of it."""
    at = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    ask = ray.remote(num_cpus=0, max_retries=0, runtime_env=environment)(host_facts)
    asked = {
        ask.options(scheduling_strategy=at(host.id, soft=False)).remote(marker): host
        for host in hosts
    }
    silent = list(asked)
    for _ in range(NUM_WAITS):
        _, silent = ray.wait(silent, num_returns=len(silent), timeout=SECONDS_A_WAIT)
        if not silent:
            break
        names = ", ".join(sorted(asked[reference].name for reference in silent))
        logger.info("waiting for %s to tell what is installed there", names)
    return [_answer(ray, reference) for reference in asked]


def _answer(ray: Any, reference: Any) -> HostFacts | str:
    try:
        facts: HostFacts = ray.get(reference, timeout=0.1)
    except ray.exceptions.GetTimeoutError:
        return f"it has not answered for {NUM_WAITS * SECONDS_A_WAIT:.0f} s"
    except Exception as error:
        return str(error).strip().splitlines()[-1][:200]
    return facts
