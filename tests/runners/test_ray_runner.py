"""Laws of RayRunner, on a real cluster: what Kedro's own runner gives, and what it does beyond."""

import logging
from pathlib import Path
from typing import Any

import pytest
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.framework.hooks.markers import hook_impl
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro_datasets.json import JSONDataset
from support import ray_nodes

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.runners import RayRunner


class Witness:
    """A hook that writes down when it is called."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    @hook_impl
    def before_node_run(self, node: Node, inputs: dict[str, Any]) -> None:
        self.calls.append(("before", node.name))
        assert all(value == 3 for name, value in inputs.items() if name == "params:number")

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        self.calls.append(("after", node.name))

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        self.calls.append((f"saved {dataset_name}", node.name))

    @hook_impl
    def on_node_error(self, error: Exception, node: Node) -> None:
        self.calls.append((str(error), node.name))

    def of(self, name: str) -> list[str]:
        """List the calls for one node."""
        return [call for call, node in self.calls if node == name]


def node(func: Any, inputs: Any, outputs: Any, name: str = "", tags: Any = None) -> Node:
    return Node(func=func, inputs=inputs, outputs=outputs, name=name or func.__name__, tags=tags)


def diamond() -> Pipeline:
    return Pipeline(
        [
            node(ray_nodes.double, "params:number", "even"),
            node(ray_nodes.double, "even", "left", "left", "gpu"),
            node(ray_nodes.add, ["even", "params:number"], "right", "right", "gpu"),
            node(ray_nodes.add, ["left", "right"], "total", "total"),
            node(ray_nodes.double, "total", "end", "end"),
        ]
    )


def run(
    runner: Any, pipeline: Pipeline, folder: Path, /, **data: Any
) -> tuple[DataCatalog, Witness]:
    stored = {name: JSONDataset(filepath=str(folder / f"{name}.json")) for name in ("left", "end")}
    catalog = DataCatalog(stored | {name: MemoryDataset(value) for name, value in data.items()})
    manager, witness = _create_hook_manager(), Witness()
    manager.register(witness)
    runner.run(pipeline, catalog, manager, "run")
    return catalog, witness


def test_it_gives_what_kedros_own_runner_gives(ray: Any, tmp_path: Path) -> None:
    """Law: the same stored data, the same outputs in memory, the same hooks for each node."""
    results = []
    for name, runner in (("own", SequentialRunner()), ("ray", RayRunner())):
        folder = tmp_path / name
        catalog, witness = run(runner, diamond(), folder, **{"params:number": 3})
        stored = {path.name: path.read_text() for path in folder.iterdir()}
        hooks = {each.name: witness.of(each.name) for each in diamond().nodes}
        results.append((stored, hooks, catalog.load("end")))
    assert results[0] == results[1]
    assert results[0][2] == 42
    assert ray.is_initialized()  # a connection that was open stays open


def test_nodes_run_at_the_same_time(ray: Any, tmp_path: Path) -> None:
    """Two nodes that wait for each other both end."""
    pair = Pipeline(
        [
            node(ray_nodes.meet, ["folder", "a", "b"], "first", "first"),
            node(ray_nodes.meet, ["folder", "b", "a"], "second", "second"),
        ]
    )
    catalog, _ = run(RayRunner(), pair, tmp_path, folder=str(tmp_path), a="a", b="b")
    assert (catalog.load("first"), catalog.load("second")) == ("a", "b")


def test_small_nodes_share_a_process_and_threads_are_as_set(ray: Any, tmp_path: Path) -> None:
    """A chain of nodes without tags is one task; each node is told the number of threads."""
    chain = Pipeline(
        [
            node(ray_nodes.where, "start", ["first", "between"]),
            node(ray_nodes.where, "between", ["second", "threads"], "where_again"),
        ]
    )
    catalog, _ = run(RayRunner(threads=3), chain, tmp_path, start=0)
    assert catalog.load("first") == catalog.load("second")
    assert catalog.load("threads") == "3"


@pytest.mark.parametrize(
    ("func", "kind", "sentence"),
    [
        (ray_nodes.refuse, PortraitPipelineError, "num_epochs is 0, expected at least 1"),
        (ray_nodes.break_down, RuntimeError, "ZeroDivisionError: division by zero"),
    ],
)
def test_an_error_is_one_sentence_with_node_and_host(
    ray: Any, tmp_path: Path, func: Any, kind: type[Exception], sentence: str
) -> None:
    """The innermost error meant for people, or that of the code; the hook of errors hears it."""
    host = ray.nodes()[0]["NodeManagerHostname"]
    expected = f"{func.__name__} on {host}: {sentence}"
    manager, witness = _create_hook_manager(), Witness()
    manager.register(witness)
    with pytest.raises(kind) as caught:
        RayRunner().run(
            Pipeline([node(func, "number", "never")]),
            DataCatalog({"number": MemoryDataset(1)}),
            manager,
        )
    assert str(caught.value) == expected
    assert witness.of(func.__name__) == ["before", expected]


@pytest.mark.parametrize(
    ("func", "result"), [(ray_nodes.die_once, 7), (ray_nodes.leave_once, 8)], ids=["kill", "leave"]
)
def test_a_node_whose_process_ends_runs_again(
    ray: Any, tmp_path: Path, func: Any, result: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Killed, or asked to leave: it begins again, its hooks are called once, and a line says so."""
    with caplog.at_level(logging.INFO, "portrait_pipeline.runners"):
        one = Pipeline([node(func, "folder", "result")])
        catalog, witness = run(RayRunner(), one, tmp_path, folder=str(tmp_path))
    assert catalog.load("result") == result
    assert witness.of(func.__name__) == ["before", "after", "saved result"]
    assert f"{func.__name__} goes on at" in caplog.text


def test_a_node_that_is_killed_again_and_again_ends_the_run(ray: Any, tmp_path: Path) -> None:
    """After `max_moves` a sentence names the node, the host and what to change."""
    with pytest.raises(
        PortraitPipelineError, match=r"die on .*: its process was killed.* 2th time"
    ):
        run(
            RayRunner(max_moves=1),
            Pipeline([node(ray_nodes.die, "number", "x")]),
            tmp_path,
            number=1,
        )
