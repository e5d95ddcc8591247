"""How long a whole run will still take, from how long its parts took."""

from collections.abc import Mapping, Sequence

from kedro.pipeline.node import Node

from portrait_pipeline.progress import in_words

# Seconds that the nodes of the sample take on two quiet cores; only their proportions count, and
# only until an earlier run of the workspace has measured them.
TYPICAL_SECONDS = {
    "train_model": 60.0,
    "score_controls": 60.0,
    "score_model": 12.0,
    "fetch_photos": 12.0,
    "fetch_paintings": 8.0,
    "detect_photo_faces": 5.0,
    "detect_painting_faces": 5.0,
}
OTHER_SECONDS = 1.0
OF_TUNINGS = "tuning."
SHARE_OF_A_TUNING = 0.3  # of the time of a whole training
KNOWN_SHARE = 0.1  # of the work, before which nothing is said
FOUND_SHARE = 0.05  # of the time that a node should take; below, it found its result there


class TimeLeft:
    """Estimates the rest of a run from the pace of what is done.

    Args:
        nodes: That the run will do.
        measured: Seconds by name of node, from an earlier run; each stands in for the typical time.
    """

    def __init__(self, nodes: Sequence[Node], measured: Mapping[str, float]) -> None:
        self._left = {node.name: measured.get(node.name, _typical(node)) for node in nodes}
        self._done = self._seconds = 0.0

    def add(self, name: str, seconds: float) -> None:
        """Take note that a node is done, and how long it took.

        A model that is trained already takes hardly any time: that says nothing of the pace.
        """
        weight = self._left.pop(name, None)
        if weight is not None and seconds >= FOUND_SHARE * weight * self._pace():
            self._done += weight
            self._seconds += seconds

    def in_words(self) -> str:
        """Return how long the rest will take, or "" where too little is known."""
        left = sum(self._left.values())
        if not self._left or self._done < KNOWN_SHARE * (self._done + left):
            return ""
        return f"about {in_words(left * self._pace())} left"

    def _pace(self) -> float:
        """Seconds for each second of the nodes' weights."""
        return self._seconds / self._done if self._done else 1.0


def _typical(node: Node) -> float:
    function = node.name.rpartition(".")[2]
    seconds = TYPICAL_SECONDS.get(function, OTHER_SECONDS)
    return seconds * (SHARE_OF_A_TUNING if node.name.startswith(OF_TUNINGS) else 1.0)
