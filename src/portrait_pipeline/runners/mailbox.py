"""The way from the workers to the command: an actor that keeps events until they are fetched."""

from typing import Any

from portrait_pipeline.runners.worker import Event


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
    """Sends events to a mailbox; implements `worker.Outbox`."""

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
