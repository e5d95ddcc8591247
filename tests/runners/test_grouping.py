"""Laws of the groups of nodes that run together."""

import random

import pytest
from kedro.pipeline import Node, Pipeline

from portrait_pipeline.pipeline_registry import register_pipelines
from portrait_pipeline.runners.grouping import group_nodes


def _identity(*values: object) -> object:
    return values


def _node(name: str, inputs: list[str], tags: str | None = None) -> Node:
    return Node(func=_identity, inputs=inputs, outputs=name, name=f"make_{name}", tags=tags)


def _drawn(seed: int) -> Pipeline:
    """Draw a pipeline of 30 nodes."""
    draw = random.Random(seed)
    nodes = []
    for index in range(30):
        count = min(index, draw.randrange(4))
        inputs = [f"d{each}" for each in draw.sample(range(index), count)] or ["start"]
        nodes.append(_node(f"d{index}", inputs, draw.choice([None, None, "gpu"])))
    return Pipeline(nodes)


PIPELINES = {f"drawn {seed}": _drawn(seed) for seed in range(20)} | register_pipelines()


@pytest.mark.parametrize("name", PIPELINES)
def test_groups_can_run_in_their_order(name: str) -> None:
    """Law: every node is in one group; each group finds its inputs in the groups before it."""
    pipeline = PIPELINES[name]
    groups, made = group_nodes(pipeline), set(pipeline.inputs())
    assert sorted(node.name for group in groups for node in group.nodes) == sorted(
        node.name for node in pipeline.nodes
    )
    for group in groups:
        assert group.needs <= made
        for node in group.nodes:
            assert set(node.inputs) <= made
            made |= set(node.outputs)


@pytest.mark.parametrize("name", PIPELINES)
def test_only_the_first_node_of_a_group_waits(name: str) -> None:
    """Law: a group starts when its first node can, and a node with a tag is alone."""
    for group in group_nodes(PIPELINES[name]):
        assert group.needs <= set(group.nodes[0].inputs)
        assert len(group.nodes) == 1 or not group.tags


def test_a_chain_of_small_nodes_is_one_group() -> None:
    """A node with two makers in different groups begins a group of its own."""
    pipeline = Pipeline(
        [
            _node("a", ["start"]),
            _node("b", ["a"]),
            _node("c", ["b"], "gpu"),
            _node("d", ["b", "c"]),
            _node("e", ["d"]),
        ]
    )
    named = [[node.name for node in group.nodes] for group in group_nodes(pipeline)]
    assert named == [["make_a", "make_b"], ["make_c"], ["make_d", "make_e"]]
