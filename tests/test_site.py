"""The pages in docs/ become a site: each is linked, every link and picture leads somewhere."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="the tools of `make tools` are not installed")
DOCS = Path(__file__).resolve().parents[1] / "docs"


def build(source: Path, built: Path) -> subprocess.CompletedProcess[str]:
    """Build a site as `make docs` does."""
    makefile = (DOCS.parent / "Makefile").read_text(encoding="utf-8")
    found = re.search(r"/python -m sphinx (.*) docs ", makefile)
    assert found
    command = [sys.executable, "-m", "sphinx", *found[1].split(), str(source), str(built)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(DOCS, folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_on_the_site(site: Path) -> None:
    """Each Markdown file is a page, and the first page leads to it."""
    for path in DOCS.rglob("*.md"):
        page = path.relative_to(DOCS).with_suffix(".html")
        assert (site / page).exists()
        linked_from = site / ("adr/index.html" if page.name[0] == "0" else "index.html")
        assert page.name in linked_from.read_text(encoding="utf-8")


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    """Styles, scripts and pictures come with the site."""
    for page in site.rglob("*.html"):
        loaded = re.findall(r'<(?:script|img|iframe)[^>]+src="([^"]+)"', page.read_text("utf-8"))
        loaded += re.findall(
            r'<link[^>]+rel="stylesheet"[^>]+href="([^"]+)"', page.read_text("utf-8")
        )
        assert loaded
        assert not [address for address in loaded if re.match(r"https?:|//", address)]


@pytest.mark.parametrize(
    "text",
    [
        "[a page](absent.md)",
        "[a heading](index.md#absent)",
        "[a heading of this page](#absent)",
        "![a picture](images/absent.png)",
        "```{toctree}\nabsent\n```",
    ],
)
def test_what_leads_nowhere_is_an_error(tmp_path: Path, text: str) -> None:
    """The build fails, and names the page and the line."""
    shutil.copy(DOCS / "conf.py", tmp_path)
    (tmp_path / "index.md").write_text(f"# Title\n\n{text}\n", encoding="utf-8")
    done = build(tmp_path, tmp_path / "built")
    assert done.returncode != 0
    assert re.search(r"index\.md:\d+: WARNING", done.stderr)


def test_a_page_that_nothing_leads_to_is_an_error(tmp_path: Path) -> None:
    """It would be on the site, and nobody would find it."""
    shutil.copy(DOCS / "conf.py", tmp_path)
    for name in ("index", "forgotten"):
        (tmp_path / f"{name}.md").write_text("# Title\n", encoding="utf-8")
    done = build(tmp_path, tmp_path / "built")
    assert done.returncode != 0
    assert "forgotten.md" in done.stderr
