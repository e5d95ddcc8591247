"""What is said of a task that Ray has lost."""

from types import SimpleNamespace

import pytest
from kedro.pipeline import Node

from portrait_pipeline.runners.grouping import Group
from portrait_pipeline.runners.losses import described_loss

NAMES = ("OutOfMemoryError", "OutOfDiskError", "NodeDiedError", "LocalRayletDiedError")
NAMES += ("WorkerCrashedError", "TaskCancelledError", "ObjectLostError")
ERRORS = SimpleNamespace(**{name: type(name, (Exception,), {}) for name in NAMES})
GROUP = Group((Node(func=abs, inputs="a", outputs="b", name="train", tags="gpu"),), frozenset())


@pytest.mark.parametrize(
    ("kind", "sentence", "remedy"),
    [
        ("OutOfMemoryError", "killed, since the host's memory is full", "cluster.resources"),
        ("OutOfDiskError", "the host's disk is full", "free space there"),
        ("NodeDiedError", "the host was lost", "see why hosts end"),
        ("LocalRayletDiedError", "the host was lost", "see why hosts end"),
        ("WorkerCrashedError", "its process was killed", "want of memory"),
        ("TaskCancelledError", "its process was stopped", "Ray's logs"),
        ("ObjectLostError", "lost an input", "see why hosts end"),
    ],
)
def test_every_loss_names_the_node_the_host_and_what_to_do(
    kind: str, sentence: str, remedy: str
) -> None:
    """Law: another host is tried for all of them but a full disk, which the hosts share."""
    loss = described_loss(SimpleNamespace(exceptions=ERRORS), getattr(ERRORS, kind)(), GROUP, "b")
    assert loss.sentence.startswith("train on b")
    assert sentence in loss.sentence
    assert remedy in loss.remedy
    assert loss.can_go_on == (kind != "OutOfDiskError")
