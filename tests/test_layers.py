"""What each folder of the pipelines holds, and how their wiring is written."""

import ast
from pathlib import Path

import pytest

from portrait_pipeline.pipeline_registry import register_pipelines

PIPELINES = Path(__file__).resolve().parents[1] / "src" / "portrait_pipeline" / "pipelines"
FOLDERS = sorted(path.parent for path in PIPELINES.glob("*/pipeline.py"))
NODES = {node.name: node for each in register_pipelines().values() for node in each.nodes}


def test_the_pipelines_hold_nothing_but_nodes_wiring_and_readme() -> None:
    """Library code belongs into a package of its own."""
    found = {
        str(path.relative_to(PIPELINES))
        for path in PIPELINES.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    files = ("__init__.py", "nodes.py", "pipeline.py", "README.md")
    assert found == {"__init__.py", *(f"{each.name}/{file}" for each in FOLDERS for file in files)}
    assert len(FOLDERS) == 6


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.name))
def test_every_node_is_wired_in_one_way(folder: Path) -> None:
    """`Node(func=…, inputs=[…], outputs=…, name=…)`, and no other way."""
    tree = ast.parse((folder / "pipeline.py").read_text(encoding="utf-8"))
    calls = [call for call in ast.walk(tree) if isinstance(call, ast.Call)]
    named = [call for call in calls if getattr(call.func, "id", "") == "Node"]
    assert named
    assert not [call for call in calls if getattr(call.func, "id", "") in ("node", "pipeline")]
    for call in named:
        given = [keyword.arg for keyword in call.keywords]
        assert given[:4] == ["func", "inputs", "outputs", "name"], ast.unparse(call)
        assert not call.args


@pytest.mark.parametrize("name", NODES)
def test_a_node_is_called_as_its_function(name: str) -> None:
    """With the model's name in front where there is one node for each model."""
    node = NODES[name]
    own_name = name if node.namespace is None else name.removeprefix(f"{node.namespace}.")
    assert own_name == node.func.__name__
