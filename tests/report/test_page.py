"""The report page, read as a browser and as a sceptic would."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.invented_run import REPORT_LINKS

from portrait_pipeline.report.verdict import trained_models, word_verdict

HOSTILE_MARK = "onerror"
MAX_PAGE_BYTES = 8_000_000
MAX_PRINTED_PAGES = 8
# Boxes that hide a part of what they hold until they are scrolled.
SCROLLING = """[...document.querySelectorAll("main, main *:not(.plot *)")]
    .filter(box => box.scrollWidth > box.clientWidth + 1 && box.clientWidth > 0
        && getComputedStyle(box).overflowX !== "visible").length"""
LEGENDS_BELOW_AXES = """() => [...document.querySelectorAll(".plot")].every(plot => {
    const legend = plot.querySelector(".legend"), names = plot.querySelectorAll(".xtick text");
    const top = legend ? legend.getBoundingClientRect().top : Infinity;
    return plot.querySelector(".main-svg").getBoundingClientRect().width > 900
        && [...names].every(name => name.getBoundingClientRect().bottom <= top);
})"""
WIDTH = "document.documentElement.scrollWidth"


class Reader(HTMLParser):
    """Collects tags, addresses that a browser would load, ids, and text outside of scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.json: list[str] = []
        self.styles: list[str] = []
        self._inside: tuple[str, str] = ("", "")
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._inside = (tag, dict(attrs).get("type") or "")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ("", "")

    def handle_data(self, data: str) -> None:
        match self._inside:
            case ("script", "application/json"):
                self.json.append(data)
            case ("script", _):
                pass
            case ("style", _):
                self.styles.append(data)
            case _:
                self.text.append(data)

    @property
    def words(self) -> str:
        """All text that a person sees, with single spaces."""
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def page(outputs: dict[str, Any]) -> str:
    """Return the page of the invented run."""
    return str(outputs["report"])


@pytest.fixture(scope="module")
def reader(page: str) -> Reader:
    """Parse the page once."""
    return Reader(page)


def refuse_constant(name: str) -> None:
    """Refuse NaN and Infinity, which are no JSON."""
    raise AssertionError(f"{name} in a plot")


def test_nothing_is_fetched(reader: Reader) -> None:
    """Every address but a link's is inside the page, and the browser may ask nowhere else."""
    loading = {"src", "href", "srcset", "data", "action", "poster", "xlink:href"}
    addresses = [
        value
        for tag, name, value in reader.attributes
        if name in loading and (tag, name) != ("a", "href")
    ]
    assert len(addresses) > 60
    assert all(address.startswith("data:image/") for address in addresses)
    assert not re.search(r"url\(|@import", " ".join(reader.styles))
    policy = next(v for _, name, v in reader.attributes if name == "content" and "default" in v)
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy


def test_the_plotting_library_is_there_once(page: str, reader: Reader) -> None:
    """One plotly for all plots, and the page within its limit."""
    assert len(re.findall(r"\* plotly\.js v\d", page)) == 1
    assert len(page.encode()) < MAX_PAGE_BYTES
    assert len(reader.json) == 6


def test_every_part_is_there(reader: Reader) -> None:
    """All sections and tables that the report owes its reader."""
    ids = {value for _, name, value in reader.attributes if name == "id"}
    assert {"in-short", "figure-1", "trade-off", "ranking", "ssim", "reduction", "curves"} <= ids
    assert {"data", "numbers", "again"} <= ids
    classes = {v for tag, name, v in reader.attributes if (tag, name) == ("table", "class")}
    assert classes == {"headline", "lambdas", "checkpoints", "everything", "counts"}
    for words in (
        "The proposed model keeps the person better",
        "λ p = 1 was chosen by the rule “pareto”",
        "The rule “ssim” would have chosen λ p = 5",
        "Proposed minus Baseline",
        "two pictures of independent noise score 0.986",
        "kedro run --env=sample",
        "1 h 6 min",
        "0123abc",
    ):
        assert words in reader.words


def test_the_first_sentence_says_who_beats_whom(page: str, inputs: Any) -> None:
    """Before any number of a model: what learns nothing, and is nearer to paintings or not."""
    comparison = inputs["comparison"]
    verdict = word_verdict(comparison, trained_models(comparison))
    first = re.search(r"<p\b[^>]*>(.*?)</p>", page.split('id="in-short"')[1], re.DOTALL)
    assert first is not None
    assert Reader(first.group(1)).words == verdict


def test_links_inside_the_page_lead_somewhere(reader: Reader) -> None:
    """Each entry of the contents names a section."""
    ids = {value for _, name, value in reader.attributes if name == "id"}
    addresses = [value for _, name, value in reader.attributes if name == "href"]
    targets = {address[1:] for address in addresses if address.startswith("#")}
    assert targets
    assert targets <= ids
    assert [each for each in addresses if not each.startswith("#")] == list(REPORT_LINKS.values())


def test_a_hostile_file_name_stays_text(page: str, reader: Reader) -> None:
    """A file name that is HTML is shown, never obeyed."""
    assert not [name for _, name, _ in reader.attributes if name.startswith("on")]
    assert "<img src=x" not in page
    titles = [value for _, name, value in reader.attributes if name == "title"]
    assert any(HOSTILE_MARK in title for title in titles)


def test_pictures_have_words_for_those_who_cannot_see(reader: Reader) -> None:
    """Every picture has an alternative text and every plot a label."""
    pictures = reader.tags.count("img")
    texts = [value for tag, name, value in reader.attributes if (tag, name) == ("img", "alt")]
    assert len(texts) == pictures
    assert all(texts)
    labels = [v for tag, name, v in reader.attributes if (tag, name) == ("div", "aria-label") and v]
    assert len(labels) >= 6


def test_nan_is_never_shown(reader: Reader) -> None:
    """What was not measured says so and why; no plot holds NaN."""
    assert not re.search(r"\b(nan|none|inf)\b", reader.words, re.IGNORECASE)
    assert "not measured: there are fewer than four pictures" in reader.words
    for content in reader.json:
        json.loads(content, parse_constant=refuse_constant)


def test_shown_counts_add_up(page: str) -> None:
    """In the table of counts, files minus what was left out is what was kept."""
    table = re.search(r'<table class="counts">.*?</table>', page, re.DOTALL)
    assert table is not None
    rows = re.findall(r"<tr.*?</tr>", table.group(), re.DOTALL)
    numbers = [[int(n.replace("−", "-")) for n in re.findall(r"<td>(.*?)</td>", r)] for r in rows]
    labels = [re.sub(r"<.*?>", " ", re.findall(r"<th.*?</th>", row, re.DOTALL)[0]) for row in rows]
    kept = next(i for i, label in enumerate(labels) if "kept" in label)
    for domain in (0, 1):
        assert sum(row[domain] for row in numbers[1:kept]) == numbers[kept][domain]
        assert sum(row[domain] for row in numbers[kept + 1 :]) == numbers[kept][domain]


def test_many_pictures_do_not_blow_the_page(inputs: Any, many: dict[str, Any]) -> None:
    """With 3000 pictures and 900 left out, the page stays within its limit."""
    assert len(many["report"].encode()) < MAX_PAGE_BYTES
    assert "24 of 3 000 test pictures" in Reader(many["report"]).words


def test_a_run_that_measured_little_still_has_its_page(inputs: Any, run_nodes: Any) -> None:
    """With the geometry judge, no conclusion and no durations, the page says what is missing."""
    keys = ["identity_similarity", "rank_1", "rank_5", "true_accept_rate"]
    tables = {
        name: inputs[name].assign(judge="geometry", **dict.fromkeys(keys, np.nan))
        for name in ("comparison", "lambda_table")
    }
    facts = {"commit": "unknown", "settings": {}, "commands": []}
    empty = inputs["twin_faces"].subset([])
    changed = inputs.but(**tables, conclusion=[], run_facts=facts, twin_faces=empty)
    words = Reader(run_nodes(changed)["report"]).words
    assert "Rank-1 accuracy: not measured: no judge was available" in words
    assert "No conclusion" in words
    assert "geometry of the face" in words
    assert not re.search(r"\bnan\b", words, re.IGNORECASE)


def test_a_run_without_tuning_has_its_page(inputs: Any, run_nodes: Any) -> None:
    """Where λ_p was not tuned, the page and its plots say nothing of a choice."""
    tuned = {"lambda_table", "chosen_lambda"}
    words = Reader(
        run_nodes({n: v for n, v in inputs.datasets.items() if n not in tuned})["report"]
    )
    assert "Identity and distance to paintings" in words.words
    assert "Choosing λ" not in words.words
    assert "Tuning, on validation" not in "".join(words.json)


def test_a_browser_draws_it_all(page: str, tmp_path: Path) -> None:
    """In Chromium nothing is asked of a network or fails; nothing sticks out or is hidden.

    Printed, it fits a few pages.
    """
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    if browser_path is None:
        pytest.skip("no Chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api")
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    asked: list[str] = []
    said: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"]
        )
        tab = browser.new_page(viewport={"width": 390, "height": 900})
        tab.set_default_timeout(120_000)
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.goto((tmp_path / "report.html").as_uri())
        tab.wait_for_function("document.querySelectorAll('.plot .main-svg').length >= 6")
        drawn = tab.evaluate("document.querySelectorAll('.plot.js-plotly-plot').length")
        narrow = tab.evaluate(WIDTH)
        tab.set_viewport_size({"width": 1280, "height": 900})
        tab.wait_for_function(LEGENDS_BELOW_AXES)
        wide = tab.evaluate(WIDTH)
        hidden = tab.evaluate(SCROLLING)
        printed = tab.pdf(prefer_css_page_size=True)
        browser.close()
    assert (drawn, narrow, wide, hidden, said) == (6, 390, 1280, 0, [])
    assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) <= MAX_PRINTED_PAGES
    assert [address for address in asked if not address.startswith(("file:", "data:"))] == []
