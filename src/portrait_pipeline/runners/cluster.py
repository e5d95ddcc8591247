"""Opening a Ray cluster: one of its own on this machine, or one that is running."""

import functools
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from portrait_pipeline.cores import available_cores
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.runners.grouping import Group
from portrait_pipeline.runners.settings import GIB, ClusterParameters, Resources

logger = logging.getLogger(__name__)

AUTHENTICATION = "ray._private.authentication.authentication_token_setup"
SECONDS_TO_ANSWER = 10.0
SECONDS_TO_START = 300.0
SECONDS_BETWEEN_QUESTIONS = 0.1
INSTALL = "`pip install -e '.[train,ray]'`"
RAY_SETTINGS = {
    "RAY_worker_niceness": "0",  # of a Ray started here: the nodes are what the machine is for
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # the coming default; Ray warns where it is not set
    # A process that needs longer to start, on a busy machine, is given up and another is started.
    "RAY_worker_register_timeout_seconds": "600",
    "RAY_agent_register_timeout_ms": "600000",
    # One that has imported the libraries waits for the next node: Ray itself ends it after a second
    # where there are more processes than cores, and the process that keeps events is one more.
    "RAY_idle_worker_killing_time_threshold_ms": "60000",
    "RAY_NUM_REDIS_GET_RETRIES": "3",  # each takes 45 s where something else than Ray listens
}


@dataclass(frozen=True)
class Host:
    """A host of the cluster.

    Attributes:
        id: The id by which Ray knows it.
        name: Its name in the network.
        total: What it has, free or not, in Ray's names.
    """

    id: str
    name: str
    total: Mapping[str, float]

    def described(self) -> str:
        """Return its name and what it has."""
        cpus, gpus = self.total.get("CPU", 0.0), self.total.get("GPU", 0.0)
        memory = self.total.get("memory", 0.0) / GIB
        return f"{self.name}: {cpus:g} cores, {gpus:g} GPUs, {memory:.1f} GiB"


def import_ray() -> Any:
    """Import Ray, which is an extra.

    Raises:
        PortraitPipelineError: if it is not installed.
    """
    for name, value in RAY_SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        import ray  # noqa: PLC0415
    except ImportError as error:
        raise PortraitPipelineError(
            f"RayRunner needs the package ray, which is not installed: run {INSTALL}"
        ) from error
    services = ray._private.services
    if not hasattr(services.get_node, "__wrapped__"):
        services.get_node = _patient(services.get_node)
    return ray


def _patient(get_node: Callable[..., Any]) -> Callable[..., Any]:
    """Ask for a host that starts until it is there: Ray itself gives up after 30 s."""

    @functools.wraps(get_node)
    def wait_for_node(*address: Any) -> Any:
        deadline = time.monotonic() + SECONDS_TO_START
        while True:
            try:
                return get_node(*address)
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(SECONDS_BETWEEN_QUESTIONS)

    return wait_for_node


@contextmanager
def open_cluster(settings: ClusterParameters) -> Iterator[Any]:
    """Connect to the cluster of the settings, or start one on this machine; hand out `ray`.

    A connection that is open already is used and left open.

    Raises:
        PortraitPipelineError: if Ray is not installed, nothing answers at the address, or another
            version does.
    """
    ray = import_ray()
    if ray.is_initialized():
        yield ray
        return
    address = address_of(settings)
    if address is not None:
        _check_answers(address)
    with _own_signal_handlers():
        _connect(ray, address)
    _keep_to_the_log_file(ray)
    try:
        yield ray
    finally:
        ray.shutdown()


def address_of(settings: ClusterParameters) -> str | None:
    """Return where the cluster is that others have started; None: one of this command's own."""
    return settings.address or os.environ.get("RAY_ADDRESS")


def _connect(ray: Any, address: str | None) -> None:
    own: dict[str, Any] = {}
    if address is None:
        own = {"num_cpus": available_cores(), "include_dashboard": False}
        # Ray takes work of this user alone, and would say so on the terminal. Its variable for that
        # is read as Ray is imported: set here, it would keep this process out too.
        logging.getLogger(AUTHENTICATION).setLevel(logging.ERROR)
    try:
        with _said_to_wait(f"at {address} to answer" if address else "to start on this machine"):
            ray.init(
                address or "local",
                log_to_driver=False,
                configure_logging=False,
                logging_level=logging.ERROR,
                **own,
            )
    except Exception as error:  # Ray raises bare ones
        reason = " ".join(str(error).split())
        if "mismatch" in reason:
            raise PortraitPipelineError(
                f"the cluster at {address} runs another version ({reason}), expected the Python and"
                f" the Ray of this machine: install the project there as here, {INSTALL}"
            ) from error
        if address is None:
            raise PortraitPipelineError(
                f"Ray cannot be started on this machine ({reason}): end other programs and run the"
                " command again, or leave out --runner"
            ) from error
        raise PortraitPipelineError(
            f"Ray cannot be reached at {address} ({reason}): start it with `ray start --head`, or"
            " leave cluster.address empty for one machine"
        ) from error


@contextmanager
def _said_to_wait(what_for: str) -> Iterator[None]:
    """Say what Ray is waited for, if it takes long."""
    words = ["waiting for Ray %s", what_for]
    timer = threading.Timer(SECONDS_TO_ANSWER, logger.info, words)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _check_answers(address: str) -> None:
    """Refuse an address at which nothing listens, which Ray would wait for.

    Raises:
        PortraitPipelineError: if it is no address, or does not answer.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise PortraitPipelineError(
            f"cluster.address is {address!r}, expected HOST:PORT as `ray start --head` prints it"
        )
    try:
        socket.create_connection((host, int(port)), SECONDS_TO_ANSWER).close()
    except (OSError, OverflowError) as error:
        raise PortraitPipelineError(
            f"cluster.address is {address}, but nothing answers there ({error}): start the head"
            f" with `ray start --head --port={port}`, or name the address that it prints"
        ) from error


@contextmanager
def _own_signal_handlers() -> Iterator[None]:
    """Keep the handlers that end a command in order: Ray puts its own in their place."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _keep_to_the_log_file(ray: Any) -> None:
    """Let what Ray prints of lost hosts, twenty lines for each, go to the log file."""

    def log(data: Mapping[str, Any], *_: Any, **__: Any) -> None:
        logger.debug("ray: %s", "\n".join(map(str, data.get("lines", ()))))

    ray._private.worker.print_to_stdstream = log


def living_hosts(ray: Any) -> list[Host]:
    """List the hosts of the cluster."""
    return [
        Host(each["NodeID"], each["NodeManagerHostname"], each["Resources"])
        for each in ray.nodes()
        if each["Alive"]
    ]


def with_gpus_found(settings: ClusterParameters, hosts: Iterable[Host]) -> ClusterParameters:
    """Let nodes tagged `gpu` take one where the cluster has any and the settings do not say."""
    if "gpu" in settings.resources or not any(host.total.get("GPU") for host in hosts):
        return settings
    resources = {**settings.resources, "gpu": Resources(num_gpus=1.0)}
    return settings.model_copy(update={"resources": resources})


def refuse_impossible(
    groups: Iterable[Group], settings: ClusterParameters, hosts: Sequence[Host]
) -> None:
    """Refuse nodes that ask for more than any host has.

    Raises:
        PortraitPipelineError: naming the first such node, what it asks for and what there is.
    """
    for group in groups:
        asked = settings.resources_of(group.tags)
        if not any(fits(asked, host) for host in hosts):
            tags = " and ".join(sorted(group.tags & settings.resources.keys())) or "without a tag"
            there = "; ".join(host.described() for host in hosts)
            raise PortraitPipelineError(
                f"{group.name} asks for {asked.described()}, which no host has ({there}): start a"
                f" host that has it, or change cluster.resources for nodes tagged {tags}"
            )


def fits(asked: Resources, host: Host) -> bool:
    """Tell whether a host has, free or not, what a node asks for."""
    return all(host.total.get(name, 0.0) >= amount for name, amount in asked.needed().items())
