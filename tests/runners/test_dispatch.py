"""Laws of the dispatcher, on a stand-in for Ray in which the test says what happens."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.framework.hooks.manager import _NullPluginManager
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline

from portrait_pipeline.errors import PortraitPipelineError, TrainingInterruptedError
from portrait_pipeline.runners import dispatch
from portrait_pipeline.runners.dispatch import Dispatcher
from portrait_pipeline.runners.events import HookCaller
from portrait_pipeline.runners.grouping import group_nodes
from portrait_pipeline.runners.settings import ClusterParameters, Resources
from portrait_pipeline.runners.worker import Outcome

DONE = Outcome("done", "host-a")


class RayError(Exception):
    """Stands for all that Ray says of a lost task."""


NAMES = ("OutOfMemoryError", "OutOfDiskError", "NodeDiedError", "LocalRayletDiedError")
NAMES += ("WorkerCrashedError", "TaskCancelledError", "ObjectLostError")
ERRORS = SimpleNamespace(RayError=RayError, **{name: type(name, (RayError,), {}) for name in NAMES})


class StandIn:
    """Ray, as far as a dispatcher uses it; every task ends as soon as it is waited for."""

    exceptions = ERRORS

    def __init__(self, outcome_of: Callable[[str, int], Any]) -> None:
        self.outcome_of = outcome_of
        self.sent: list[str] = []
        self.given: list[Mapping[str, Any]] = []
        self.cancelled: list[Any] = []
        self.hosts = [{"NodeID": "1", "NodeManagerHostname": "host-a", "Alive": True}]
        self.hosts[0]["Resources"] = {"CPU": 2.0}
        draining = SimpleNamespace(get_draining_nodes=dict)
        self._private = SimpleNamespace(state=SimpleNamespace(state=draining))
        self.is_stuck = False

    def wait(self, references: list[Any], num_returns: int, timeout: float) -> Any:
        return ([], references) if self.is_stuck else (references[:num_returns], [])

    def get(self, reference: Any) -> Any:
        if isinstance(reference, Exception):
            raise reference
        return reference[1] if isinstance(reference, tuple) else reference

    def nodes(self) -> list[dict[str, Any]]:
        return self.hosts

    def cancel(self, reference: Any, force: bool, recursive: bool) -> None:
        self.cancelled.append((reference, force))


def always(outcome: Any) -> Callable[[str, int], Any]:
    """Return what tells the same of every attempt."""

    def outcome_of(_name: str, _attempt: int) -> Any:
        return outcome

    return outcome_of


def _node(name: str, inputs: list[str]) -> Node:
    return Node(func=lambda *values: values, inputs=inputs, outputs=name, name=name, tags="gpu")


PIPELINE = Pipeline([_node("first", ["start"]), _node("second", ["first"])])


def dispatcher(ray: StandIn, **settings: Any) -> Dispatcher:
    groups = group_nodes(PIPELINE)
    hooks = HookCaller(PIPELINE, DataCatalog({}), _NullPluginManager(), None)
    mailbox = SimpleNamespace(fetch=SimpleNamespace(remote=list))

    def submit(number: int, values: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
        name = groups[number].name
        attempt = ray.sent.count(name)
        ray.sent.append(name)
        ray.given.append(values)
        outcome = ray.outcome_of(name, attempt)
        reference = outcome if isinstance(outcome, Exception) else (len(ray.sent), outcome)
        return reference, {name: f"value of {name}"}

    return Dispatcher(ray, groups, ClusterParameters(**settings), hooks, submit, mailbox)


def test_a_group_is_sent_once_its_inputs_are_there() -> None:
    """Law: in order, with the reference of what the other one made."""
    ray = StandIn(always(DONE))
    runs = dispatcher(ray)
    runs.run()
    assert ray.sent == ["first", "second"]
    assert ray.given == [{}, {"first": "value of first"}]
    assert runs.value("second") == "value of second"


@pytest.mark.parametrize("kind", ["OutOfMemoryError", *NAMES[2:6]])
@pytest.mark.parametrize("max_moves", [0, 1, 3])
def test_a_lost_task_moves_as_often_as_allowed(kind: str, max_moves: int) -> None:
    """Law: it is sent `max_moves` times more, then one sentence ends the run."""
    error = getattr(ERRORS, kind)("lost")
    ray = StandIn(lambda name, attempt: error if name == "first" and attempt < max_moves else DONE)
    dispatcher(ray, max_moves=max_moves).run()
    assert ray.sent == ["first"] * (max_moves + 1) + ["second"]
    ray = StandIn(always(error))
    with pytest.raises(PortraitPipelineError, match=r"^first on a host.*: .+"):
        dispatcher(ray, max_moves=max_moves).run()
    assert ray.sent == ["first"] * (max_moves + 1)


@pytest.mark.parametrize("error", [ERRORS.OutOfDiskError("x"), RayError("line\nwhy: it is so")])
def test_what_no_other_host_can_do_ends_the_run(error: Exception) -> None:
    """Law: it is not tried again; the last line of Ray's report is told."""
    ray = StandIn(always(error))
    with pytest.raises(PortraitPipelineError, match=r"disk is full|why: it is so"):
        dispatcher(ray).run()
    assert ray.sent == ["first"]


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_lost_input_is_made_again(wrapped: bool) -> None:
    """Law: the node that made it runs again, then the one that reads it."""
    error: Exception = ERRORS.ObjectLostError("gone")
    if wrapped:
        cause, error = error, RayError("a task failed")
        error.cause = cause  # type: ignore[attr-defined]
    ray = StandIn(lambda name, attempt: error if (name, attempt) == ("second", 0) else DONE)
    dispatcher(ray).run()
    assert ray.sent == ["first", "second", "first", "second"]


@pytest.mark.parametrize(
    ("outcome", "kind", "sentence"),
    [
        (Outcome("failed", "b", "first", "x is 0"), PortraitPipelineError, "first on b: x is 0"),
        (Outcome("failed", "b", "first", "E: x", False), RuntimeError, "first on b: E: x"),
        (Outcome("stopped", "b", "first", "SIG"), TrainingInterruptedError, "first on b: SIG"),
    ],
)
def test_a_bad_outcome_ends_the_run(outcome: Outcome, kind: type[Exception], sentence: str) -> None:
    """Law: with node and host; what was only stopped goes on elsewhere first."""
    ray = StandIn(always(outcome))
    with pytest.raises(kind) as caught:
        dispatcher(ray, max_moves=2).run()
    assert str(caught.value) == sentence
    assert len(ray.sent) == (3 if outcome.kind == "stopped" else 1)


def test_a_host_that_is_drained_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: what runs there is asked to stop, once, and not killed."""
    monkeypatch.setattr(dispatch, "SECONDS_BETWEEN_LOOKS_AT_HOSTS", 0.0)
    ray = StandIn(always(DONE))
    runs = dispatcher(ray)
    runs._states = {0: dispatch.GroupState(("r", DONE), "1", "host-a"), 1: dispatch.GroupState()}
    ray._private.state.state.get_draining_nodes = lambda: {"1": 0}
    runs._look_at_hosts()
    runs._look_at_hosts()
    assert ray.cancelled == [(("r", DONE), False)]


def test_what_is_waited_for_is_said_and_ends(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Law: a wait says for what; when no host has it for too long, the run ends."""
    for name in ("SECONDS_BETWEEN_WORDS", "SECONDS_BETWEEN_LOOKS_AT_HOSTS"):
        monkeypatch.setattr(dispatch, name, 0.0)
    ray = StandIn(always(DONE))
    ray.is_stuck = True
    caplog.set_level("INFO", "portrait_pipeline.runners")
    busy = {"gpu": Resources(num_gpus=1)}
    with pytest.raises(
        PortraitPipelineError, match=r"num_gpus: 1, which no host has had for 0 min"
    ):
        dispatcher(ray, resources=busy, patience_minutes=0.0).run()
    assert "first waits for num_cpus: 1, num_gpus: 1, which no host has now" in caplog.text or (
        "first waits for num_gpus: 1, which no host has now" in caplog.text
    )


def test_what_a_wait_is_for_is_told_apart(caplog: pytest.LogCaptureFixture) -> None:
    """Law: a process that has to start first, or nodes that have what is asked for; once each."""
    caplog.set_level("INFO", "portrait_pipeline.runners")
    runs = dispatcher(StandIn(always(DONE)))
    runs._states = {0: dispatch.GroupState("r"), 1: dispatch.GroupState()}
    runs._say_what_is_waited_for()
    runs._say_what_is_waited_for()
    runs._states[1] = dispatch.GroupState("s", "1", "host-a")
    runs._say_what_is_waited_for()
    runs._states = {0: dispatch.GroupState("r"), 1: dispatch.GroupState("s")}
    runs._say_what_is_waited_for()
    assert [record.getMessage() for record in caplog.records] == [
        "first waits for num_cpus: 1, which a host has, to start a process for it",
        "first waits for num_cpus: 1, which other nodes have now",
        "2 tasks (the first: first) wait for num_cpus: 1, which a host has, to start a process"
        " for it",
    ]


def test_a_result_that_is_lost_at_the_end_is_said() -> None:
    """Law: one sentence, with its name and what to do."""
    runs = dispatcher(StandIn(always(DONE)))
    runs._values = {"scores": ERRORS.ObjectLostError("gone")}
    with pytest.raises(PortraitPipelineError, match=r"scores was lost with the host.*catalog\.yml"):
        runs.value("scores")


def test_stopping_asks_first_and_kills_what_stays() -> None:
    """Law: every running task is cancelled; one that does not end is ended."""
    ray = StandIn(always(DONE))
    ray.is_stuck = True
    runs = dispatcher(ray)
    runs._states = {0: dispatch.GroupState("r"), 1: dispatch.GroupState()}
    runs.stop()
    assert ray.cancelled == [("r", False), ("r", True)]
