"""The groups of a pipeline on a cluster: sent out, waited for, moved when their host is lost."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from portrait_pipeline.errors import PortraitPipelineError, TrainingInterruptedError
from portrait_pipeline.runners.cluster import fits, living_hosts
from portrait_pipeline.runners.events import HookCaller
from portrait_pipeline.runners.grouping import Group
from portrait_pipeline.runners.losses import described_loss, is_lost_value
from portrait_pipeline.runners.mailbox import Event
from portrait_pipeline.runners.settings import ClusterParameters
from portrait_pipeline.runners.worker import Outcome

logger = logging.getLogger(__name__)

SECONDS_A_LOOK = 0.2
"""How long Ray is waited for at a time, so that lines are shown and a signal is heard."""
SECONDS_BETWEEN_LOOKS_AT_HOSTS = 2.0
SECONDS_BETWEEN_WORDS = 20.0
SECONDS_TO_STOP = 120.0


Submit = Callable[[int, Mapping[str, Any]], tuple[Any, Mapping[str, Any]]]


@dataclass
class GroupState:
    """Where a group is: on no host, sent out, or on a host.

    Attributes:
        reference: Ray's promise of the outcome; None where it is not sent out.
        host_id: The host that it runs on; empty until it starts.
        host: The name of that host.
        moves: How often its host was lost.
        is_leaving: It was asked to stop since its host is going away.
    """

    reference: Any = None
    host_id: str = ""
    host: str = ""
    moves: int = 0
    is_leaving: bool = False


@dataclass
class Dispatcher:
    """Runs groups on a cluster.

    Attributes:
        ray: The module, connected.
        groups: In an order in which each finds its inputs.
        settings: Of the cluster.
        hooks: Told of all that happens.
        submit: Sends a group out, by its number and the references of its inputs in memory;
            returns the references of its outcome and of what it keeps in memory.
        mailbox: The actor that keeps the workers' events.
    """

    ray: Any
    groups: Sequence[Group]
    settings: ClusterParameters
    hooks: HookCaller
    submit: Submit
    mailbox: Any
    _states: dict[int, GroupState] = field(default_factory=dict)
    _done: set[int] = field(default_factory=set)
    _values: dict[str, Any] = field(default_factory=dict)
    _heard: float = 0.0
    _looked: float = 0.0
    _waits: list[str] = field(default_factory=list)
    _impossible_since: float | None = None

    def run(self) -> None:
        """Run all groups.

        Raises:
            PortraitPipelineError: if a node fails, or its hosts are lost too often.
            TrainingInterruptedError: if a training was stopped by a signal on its host.
            RuntimeError: if a node fails by a fault of the code.
        """
        self._states = {number: GroupState() for number in range(len(self.groups))}
        self._heard = time.monotonic()
        while len(self._done) < len(self.groups):
            self._send_out()
            finished = self._wait()
            self._tell(self.ray.get(self.mailbox.fetch.remote()))  # all that these have sent
            for number in [n for n, state in self._states.items() if state.reference in finished]:
                self._finish(number)
            self._look_at_hosts()

    def value(self, name: str) -> Any:
        """Bring back a dataset that was kept in memory.

        Raises:
            PortraitPipelineError: if the host that had it is lost.
        """
        try:
            return self.ray.get(self._values[name])
        except self.ray.exceptions.RayError as error:
            raise PortraitPipelineError(
                f"{name} was lost with the host that had it in memory: run the command again, or"
                " give it a file in catalog.yml"
            ) from error

    def stop(self) -> None:
        """Ask all that runs to stop, and wait: a training saves its state, and closes its run."""
        running = [state.reference for state in self._states.values() if state.reference]
        if not running:
            return
        logger.info("stopping %d nodes; trainings save their state first", len(running))
        for reference in running:
            self.ray.cancel(reference, force=False, recursive=False)
        _, left = self.ray.wait(running, num_returns=len(running), timeout=SECONDS_TO_STOP)
        for reference in left:
            self.ray.cancel(reference, force=True, recursive=False)

    def _send_out(self) -> None:
        """Send out every group whose inputs are there."""
        made = {name for number in self._done for name in self.groups[number].outputs}
        for number, group in enumerate(self.groups):
            state = self._states[number]
            if number in self._done or state.reference is not None or not group.needs <= made:
                continue
            values = {name: self._values[name] for name in group.needs if name in self._values}
            state.reference, kept = self.submit(number, values)
            self._values |= kept

    def _wait(self) -> set[Any]:
        """Wait a moment for the end of a group."""
        running = [state.reference for state in self._states.values() if state.reference]
        self.ray.wait(running, num_returns=1, timeout=SECONDS_A_LOOK)
        finished, _ = self.ray.wait(running, num_returns=len(running), timeout=0)
        return set(finished)

    def _tell(self, events: Sequence[Event]) -> None:
        for event in events:
            self._heard = time.monotonic()
            state = self._states[event.group]
            if event.kind == "started":
                if state.moves and not state.host_id:
                    logger.info("%s goes on at %s", event.node, event.host)
                state.host_id, state.host = event.host_id, event.host
            self.hooks.handle(event)

    def _finish(self, number: int) -> None:
        """Take the outcome of a group; send it out again where its host was lost."""
        state, group = self._states[number], self.groups[number]
        reference, state.reference, state.host_id = state.reference, None, ""
        try:
            outcome: Outcome = self.ray.get(reference)
        except self.ray.exceptions.RayError as error:
            self._move_or_give_up(number, error)
            return
        if outcome.kind == "stopped" and state.moves < self.settings.max_moves:
            state.moves, state.is_leaving = state.moves + 1, False
            logger.info("%s leaves %s, which is going away", outcome.node, outcome.host)
        elif outcome.kind == "done":
            self._done.add(number)
            logger.debug("done: %s on %s", group.name, outcome.host)
        else:
            raise self._error(outcome)

    def _error(self, outcome: Outcome) -> Exception:
        sentence = f"{outcome.node} on {outcome.host}: {outcome.sentence}"
        logger.debug("the node's own traceback: %s", outcome.traceback)
        error: Exception
        if outcome.kind == "stopped":
            error = TrainingInterruptedError(sentence)
        else:
            error = (PortraitPipelineError if outcome.is_for_people else RuntimeError)(sentence)
        self.hooks.fail(outcome.node, error)
        return error

    def _move_or_give_up(self, number: int, error: Exception) -> None:
        """Go on elsewhere after a lost host, process or value; give up where that cannot help."""
        state, group = self._states[number], self.groups[number]
        if is_lost_value(self.ray, error):
            for maker in range(len(self.groups)):
                if set(self.groups[maker].outputs) & group.needs & self._values.keys():
                    self._done.discard(maker)  # what it made lay in the memory of a lost host
        loss = described_loss(self.ray, error, group, state.host)
        state.moves, state.is_leaving = state.moves + 1, False
        if not loss.can_go_on or state.moves > self.settings.max_moves:
            times = f", for the {state.moves}th time" if loss.can_go_on else ""
            raise PortraitPipelineError(f"{loss.sentence}{times}: {loss.remedy}") from error
        logger.warning("%s; it begins again or goes on from its last checkpoint", loss.sentence)

    def _look_at_hosts(self) -> None:
        """Move what runs on hosts that are going away; say what is waited for."""
        if time.monotonic() - self._looked < SECONDS_BETWEEN_LOOKS_AT_HOSTS:
            return
        self._looked = time.monotonic()
        leaving = set(self.ray._private.state.state.get_draining_nodes())
        for state in self._states.values():
            if state.reference and state.host_id in leaving and not state.is_leaving:
                state.is_leaving = True
                self.ray.cancel(state.reference, force=False, recursive=False)
        if time.monotonic() - self._heard < SECONDS_BETWEEN_WORDS:
            return
        self._heard = time.monotonic()
        self._say_what_is_waited_for()

    def _say_what_is_waited_for(self) -> None:
        """Say what waits for a host; give up where no host has had what it asks for too long."""
        hosts, now = living_hosts(self.ray), time.monotonic()
        waiting = [
            self.groups[number]
            for number, state in self._states.items()
            if state.reference and not state.host_id
        ]
        lacking = [
            group
            for group in waiting
            if not any(fits(self.settings.resources_of(group.tags), host) for host in hosts)
        ]
        self._impossible_since = (self._impossible_since or now) if lacking else None
        self._describe_waiting(waiting, lacking)
        patience = 60.0 * self.settings.patience_minutes
        if self._impossible_since is not None and now - self._impossible_since > patience:
            asked = self.settings.resources_of(lacking[0].tags).described()
            raise PortraitPipelineError(
                f"{lacking[0].name} asks for {asked}, which no host has had for"
                f" {self.settings.patience_minutes:g} minutes: start such a host, then go on with"
                " `--params resume=true`"
            )

    def _describe_waiting(self, waiting: Sequence[Group], lacking: Sequence[Group]) -> None:
        """Say in one line what all groups that wait for the same wait for, and why; once."""
        is_free = not any(state.host_id for state in self._states.values())
        names: dict[tuple[str, str], list[str]] = {}
        for group in waiting:
            asked = self.settings.resources_of(group.tags).described()
            why = "other nodes have now"
            if group in lacking:
                why = "no host has now"
            elif is_free:
                why = "a host has, to start a process for it"
            names.setdefault((asked, why), []).append(group.name)
        sentences = []
        for (asked, why), (first, *others) in names.items():
            number = 1 + len(others)
            who = f"{number} tasks (the first: {first}) wait" if others else f"{first} waits"
            sentences.append(f"{who} for {asked}, which {why}")
        for sentence in sentences if sentences != self._waits else ():
            logger.info("%s", sentence)
        self._waits = sentences
