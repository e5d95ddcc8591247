"""One Ray cluster of this machine for all tests of the runner."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

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
    from ray.cluster_utils import Cluster  # noqa: PLC0415

    head = {"num_cpus": 2, "include_dashboard": False, "_system_config": WATCH}
    made = Cluster(initialize_head=True, head_node_args=head)
    yield made
    made.shutdown()


@pytest.fixture(scope="session")
def ray(cluster: Any) -> Iterator[Any]:
    """Ray, connected to the cluster."""
    import ray  # noqa: PLC0415

    before = os.environ.get("RAY_ADDRESS")
    ray.init(cluster.address, log_to_driver=False, configure_logging=False)
    yield ray
    ray.shutdown()
    assert os.environ.get("RAY_ADDRESS") == before
