"""What the settings of a cluster mean, and which are refused."""

from typing import Any

import pytest

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.runners.settings import ClusterParameters, Resources, read_settings


def test_what_is_typed_wins_over_the_configuration() -> None:
    """`--runner-params` over `params:cluster`, and defaults below both."""
    read = read_settings({"address": "a:1", "threads": 2}, {"threads": 4})
    assert read == ClusterParameters(address="a:1", threads=4)
    assert read_settings({}, {}) == ClusterParameters()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"adress": "a:1"}, "cluster.adress"),
        ({"threads": 0}, "cluster.threads is 0"),
        ({"resources": {"gpu": {"num_gpu": 1}}}, "cluster.resources.gpu.num_gpu"),
        ({"resources": {"gpu": {"num_gpus": -1}}}, "cluster.resources.gpu.num_gpus is -1"),
        ({"resources": 3}, "cluster.resources is 3"),
        ({"max_moves": "often"}, "cluster.max_moves is 'often'"),
    ],
)
def test_an_impossible_setting_is_named(given: dict[str, Any], named: str) -> None:
    """One sentence, with the setting as it is written in the file."""
    with pytest.raises(PortraitPipelineError) as caught:
        read_settings(given, {})
    assert str(caught.value).startswith(named)


def test_a_node_with_several_tags_asks_for_the_most() -> None:
    """Also of resources with a name of their own; unknown tags ask for nothing more."""
    settings = ClusterParameters(
        resources={
            "gpu": Resources(num_gpus=0.25, num_cpus=0.5),
            "large": Resources(num_cpus=2, memory_gb=4, custom={"disk": 1}),
        }
    )
    both = settings.resources_of({"gpu", "large", "other"})
    assert both == Resources(num_cpus=2, num_gpus=0.25, memory_gb=4, custom={"disk": 1})
    assert settings.resources_of({"other"}) == Resources()
    assert both.options() == {
        "num_cpus": 2,
        "num_gpus": 0.25,
        "memory": 4 * 2**30,
        "resources": {"disk": 1},
    }
    assert settings.resources_of({"gpu"}).described() == "num_cpus: 0.5, num_gpus: 0.25"
