"""The way from the workers to the command: an actor that keeps events until they are fetched.

The actor's process imports nothing else of this project, so that a command has not to wait for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol


@dataclass(frozen=True)
class Event:
    """What a worker tells while a group runs.

    Attributes:
        kind: A node starts or is done, or a line was logged.
        group: Number of the group.
        node: Name of the node; empty for a line.
        host: Where it runs: `Outcome.host`, and the id by which Ray knows it.
        host_id: The id of the host in Ray.
        record: The line, as logging keeps it.
    """

    kind: Literal["started", "done", "line"]
    group: int
    node: str = ""
    host: str = ""
    host_id: str = ""
    record: Mapping[str, Any] | None = None


class Outbox(Protocol):
    """Takes events to the command, in their order."""

    def send(self, event: Event) -> None:
        """Send without waiting."""

    def flush(self) -> None:
        """Wait until all that was sent has arrived."""


class Mailbox:
    """Keeps events in order; runs as an actor on the command's host."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def add(self, event: Event) -> None:
        """Take an event of a worker."""
        self._events.append(event)

    def fetch(self) -> list[Event]:
        """Return all events that came since the last call."""
        events, self._events = self._events, []
        return events


class ActorOutbox:
    """An `Outbox` that sends to a mailbox."""

    def __init__(self, mailbox: Any) -> None:
        self._mailbox = mailbox
        self._last: Any = None

    def send(self, event: Event) -> None:
        """Send without waiting."""
        self._last = self._mailbox.add.remote(event)

    def flush(self) -> None:
        """Wait until all that was sent has arrived: calls of one process keep their order."""
        import ray  # noqa: PLC0415  an extra

        if self._last is not None:
            ray.get(self._last)
