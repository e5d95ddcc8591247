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


class TimeLeft:
    """Estimates the rest of a run from the pace of what is done.

    Args:
        nodes: That the run will do.
        measured: Seconds by name of node, from an earlier run; each stands in for the typical time.
    """

    def __init__(self, nodes: Sequence[Node], measured: Mapping[str, float]) -> None:
        self._weights = {node.name: measured.get(node.name, _typical(node)) for node in nodes}
        self._left = dict(self._weights)
        self._seconds = 0.0

    def add(self, name: str, seconds: float) -> None:
        """Take note that a node is done, and how long it took."""
        if self._left.pop(name, None) is not None:
            self._seconds += seconds

    def in_words(self) -> str:
        """Return how long the rest will take, or "" where too little is known."""
        total, left = sum(self._weights.values()), sum(self._left.values())
        done = total - left
        if not self._left or done < KNOWN_SHARE * total:
            return ""
        return f"about {in_words(left * self._seconds / done)} left"


def _typical(node: Node) -> float:
    function = node.name.rpartition(".")[2]
    seconds = TYPICAL_SECONDS.get(function, OTHER_SECONDS)
    return seconds * (SHARE_OF_A_TUNING if node.name.startswith(OF_TUNINGS) else 1.0)
