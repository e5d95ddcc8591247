"""What the documents name exists: files, links, headings, commands, pipelines, parameters."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from portrait_pipeline.cli import run
from portrait_pipeline.commands import app, portray
from portrait_pipeline.pipeline_registry import register_pipelines

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src/portrait_pipeline"
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(PACKAGE.rglob("*.md")),
]
# Where a path in a document may start: the project, the package, or the document's own folder.
TOP_FOLDERS = ("conf/", "docs/", "notebooks/", "benchmarks/", "src/", "tests/")
# Parameters of `kedro run --params` that a resolver of the configuration reads by itself.
RUNTIME_PARAMETERS = {"workspace", "resume_from", "pictures_folder", "portraying_model"}
each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS]
)


def _text(document: Path) -> str:
    text = document.read_text(encoding="utf-8")
    # upgrade notes name what is gone
    return re.sub(r"### Upgrade notes\n.*?(?=\n### )", "", text, flags=re.DOTALL)


def _anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    words = re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", ""))
    return words.replace(" ", "-")


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {_anchor(heading) for heading in headings}


def _paths(text: str) -> Iterator[str]:
    """Yield the words in code marks and code blocks that look like a path of the project."""
    for code in re.findall(r"`([^`]+)`", text):
        for word in code.split():
            is_module = re.fullmatch(r"[\w/]+/\w+\.(py|md|json|yml|j2|css)", word)
            if word.startswith(TOP_FOLDERS) or is_module:
                yield word.split(":")[0].rstrip(".,;)")


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link and picture is a file, and the heading behind `#` is in it."""
    text = _text(document)
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    for link in links:
        if link.startswith("http"):
            continue
        name, _, heading = link.partition("#")
        target = document.parent / name if name else document
        assert target.exists(), f"{link} is not there"
        assert not heading or heading in _anchors(target), f"{link} names no heading"


@each_document
def test_paths_exist(document: Path) -> None:
    """Every path of the project that stands in code marks exists."""
    for path in _paths(_text(document)):
        places = (ROOT, PACKAGE, document.parent, ROOT / "docs", ROOT / "tests")
        found = any(any(place.glob(path)) for place in places if not path.startswith("/"))
        assert found or "…" in path or "<" in path or "NAME" in path, f"{path} is not there"


@each_document
def test_commands_exist(document: Path) -> None:
    """Every make target, benchmark and pipeline that a document names can be run."""
    text, makefile = _text(document), (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`?make ([a-z][a-z-]+)(?=[`\s])", text):
        if f"`make {target}" in text or f"\nmake {target}" in text:
            assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), f"make {target}"
    for module in re.findall(r"python -m benchmarks\.(\w+)", text):
        assert (ROOT / f"benchmarks/{module}.py").exists(), f"benchmarks.{module}"
    pipelines = register_pipelines()
    for name in re.findall(r"--pipeline[= ]([a-z_0-9]+)", text):
        assert name in pipelines, f"--pipeline={name} is not registered"


@each_document
def test_options_exist(document: Path) -> None:
    """Every option that a document gives a command of this project exists."""
    commands = {"portray": portray, "app": app, "run": run}
    for name, rest in re.findall(r"kedro (portray|app|run)\b([^`\n#]*)", _text(document)):
        known = {word for option in commands[name].params for word in option.opts}
        for word in re.findall(r"(?<!\S)(--?[a-z][\w-]*)", rest):
            assert word in known, f"kedro {name} has no {word}"


def _known_parameters() -> tuple[set[str], set[str]]:
    """Return the names of the top-level parameters, and those of one level below as `a.b`."""
    top, below = set(RUNTIME_PARAMETERS), set()
    for path in (ROOT / "conf/base").glob("parameters*.yml"):
        for name, value in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            top.add(name)
            below |= {f"{name}.{key}" for key in value} if isinstance(value, dict) else set()
    return top, below


@each_document
def test_parameters_exist(document: Path) -> None:
    """Every name behind `--params` is a parameter of conf/base."""
    top, below = _known_parameters()
    for name in re.findall(r"`params:(\w+)`", _text(document)):
        assert name in top, f"params:{name} is no parameter"
    for given in re.findall(r"--params[= ]([\w.]+=[^\s`)]+)", _text(document)):
        for name in re.findall(r"(?:^|,)([a-z_.]+)=", given):
            known = name in top or name in below
            assert known, f"--params {name}= is no parameter"


def _tree() -> list[Path]:
    """Return the files and folders that the tree of CONTRIBUTING.md names."""
    block = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("```text\n")[1]
    places, folder = [], ROOT
    for line in block.split("```")[0].splitlines():
        indent = len(line) - len(line.lstrip())
        for name in re.split(r"  +", line.strip())[0].split():
            if indent == 0:
                folder = ROOT / name
            places.append(folder if indent == 0 else folder / name)
    return places


def test_the_tree_names_every_folder() -> None:
    """Each name in the tree is there, and no folder of the package or of conf is missing in it."""
    places = _tree()
    for path in places:
        assert path.exists(), f"{path.relative_to(ROOT)} is not there"
    named = {path.resolve() for path in places}
    for parent in (PACKAGE, ROOT / "conf"):
        folders = {path for path in parent.iterdir() if path.is_dir() and path.name[0] not in "._"}
        assert folders <= named, f"not in the tree: {folders - named}"


def test_the_layers_are_those_that_are_checked() -> None:
    """CONTRIBUTING.md lists the layers of pyproject.toml, in their order."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    checked = [
        {part.strip().removeprefix("portrait_pipeline.") for part in re.split("[:|]", layer)}
        for contract in contracts
        if contract["type"] == "layers"
        for layer in contract["layers"]
    ]
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\d+\. (`.+)$", text, flags=re.MULTILINE)
    assert [set(re.findall(r"`(\w+)`", line)) for line in lines] == [
        layer - {"__main__"} for layer in checked
    ]
