"""One Ray cluster of this machine for all tests of the runner."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

SECONDS_TO_START = 300.0
# A host that is lost is missed after five seconds, also where this machine is busy.
WATCH = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 20_000,
    "health_check_failure_threshold": 4,
}


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """A cluster with one host of two cores; tests add others."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install -e '.[train,ray]'")
    from portrait_pipeline.runners.cluster import import_ray  # noqa: PLC0415

    import_ray()
    from ray._private import services  # noqa: PLC0415
    from ray.cluster_utils import Cluster  # noqa: PLC0415

    services.get_node = _patient(services.get_node)
    head = {"num_cpus": 2, "include_dashboard": False, "_system_config": WATCH}
    made = Cluster(initialize_head=True, head_node_args=head)
    yield made
    made.shutdown()


def _patient(get_node: Callable[..., Any]) -> Callable[..., Any]:
    """Ask for a host that starts until it is there: Ray itself gives up after 30 s."""

    def wait_for_node(*address: Any) -> Any:
        deadline = time.monotonic() + SECONDS_TO_START
        while True:
            try:
                return get_node(*address)
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.1)

    return wait_for_node


@pytest.fixture(scope="session")
def ray(cluster: Any) -> Iterator[Any]:
    """Ray, connected to the cluster."""
    import ray  # noqa: PLC0415

    before = os.environ.get("RAY_ADDRESS")
    ray.init(cluster.address, log_to_driver=False, configure_logging=False)
    yield ray
    ray.shutdown()
    assert os.environ.get("RAY_ADDRESS") == before
