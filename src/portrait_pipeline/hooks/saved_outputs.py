"""Tells when the last output of a node is saved, so that its result is complete."""

from kedro.pipeline.node import Node


class SavedOutputs:
    """Waits for the outputs of each node that runs."""

    def __init__(self) -> None:
        self._missing: dict[str, set[str]] = {}

    def expect(self, node: Node) -> None:
        """Wait for the outputs of a node that starts."""
        self._missing[node.name] = set(node.outputs)

    def are_complete(self, node: Node, dataset_name: str) -> bool:
        """Note that one output is saved; tell whether it was the last one of its node."""
        missing = self._missing.get(node.name, set())
        missing.discard(dataset_name)
        return not missing
