"""Which nodes run together: small ones with the neighbour that makes what they read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node


@dataclass(frozen=True)
class Group:
    """Nodes that run one after the other in one task.

    Attributes:
        nodes: In an order in which each finds its inputs.
        needs: Datasets of the pipeline that are made outside of the group.
    """

    nodes: tuple[Node, ...]
    needs: frozenset[str]

    @property
    def name(self) -> str:
        """What the group is called on the cluster's dashboard."""
        more = len(self.nodes) - 1
        return self.nodes[0].name + (f" and {more} more" if more else "")

    @property
    def tags(self) -> set[str]:
        """The tags of all its nodes."""
        return {tag for node in self.nodes for tag in node.tags}

    @property
    def outputs(self) -> tuple[str, ...]:
        """All that its nodes make."""
        return tuple(name for node in self.nodes for name in node.outputs)


def group_nodes(pipeline: Pipeline) -> list[Group]:
    """Divide a pipeline into groups, in an order in which each finds its inputs.

    A node without tags is small: it joins the small nodes that make its inputs if all of them are
    in one group. So only the first node of a group waits for others, and no two groups wait for
    each other.
    """
    parts: list[list[Node]] = []
    part_of: dict[str, int] = {}
    for node in pipeline.nodes:
        parents = {part_of[name] for name in node.inputs if name in part_of}
        part = _part_to_join(node, parents, parts)
        if part is None:
            parts.append([])
            part = len(parts) - 1
        parts[part].append(node)
        part_of |= dict.fromkeys(node.outputs, part)
    return [_group(nodes, part_of) for nodes in parts]


def _part_to_join(node: Node, parents: set[int], parts: Sequence[list[Node]]) -> int | None:
    if node.tags or len(parents) != 1:
        return None
    (parent,) = parents
    return None if any(each.tags for each in parts[parent]) else parent


def _group(nodes: Sequence[Node], made: Iterable[str]) -> Group:
    inside = {name for node in nodes for name in node.outputs}
    read = {name for node in nodes for name in node.inputs}
    return Group(tuple(nodes), frozenset((read - inside).intersection(made)))
