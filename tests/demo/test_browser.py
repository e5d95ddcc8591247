"""The page in a real browser without a window: what a visitor sees and does."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from portrait_pipeline.sample import draw_photo

pytestmark = [  # both are Gradio's
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE_MS = 60_000


@pytest.fixture(scope="module", params=[390, 1280], ids=["phone", "desk"])
def page(request: pytest.FixtureRequest, page_address: str) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here; `apt-get install chromium` brings it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        view = browser.new_page(viewport={"width": request.param, "height": 900})
        view.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        view.goto(page_address)
        yield view
        browser.close()


def test_a_visitor_gets_a_portrait(page: Page, tmp_path: Path) -> None:
    """Upload, see the portrait and the similarity in words and as a number, take it home."""
    drawn = draw_photo(3, 5, 256).photo
    Image.fromarray(drawn).save(tmp_path / "me.png")
    page.locator("#photo input[type=file]").first.set_input_files(tmp_path / "me.png")
    expect(page.locator("#shown_proposed img").first).to_be_visible()
    expect(page.locator("#shown_baseline img").first).to_be_visible()
    expect(page.locator("#slider")).to_be_visible()
    expect(page.locator("#caption_proposed")).to_contain_text("no more alike than strangers")
    expect(page.locator("#caption_proposed")).to_contain_text("similarity \u2212")
    with page.expect_download() as download:
        page.locator("#download").click()
    download.value.save_as(tmp_path / "portrait.png")
    portrait = np.asarray(Image.open(tmp_path / "portrait.png").convert("RGB"))
    assert portrait.shape == (512, 512, 3)
    middle = drawn[64:-64, 64:-64].mean()
    assert abs(portrait.mean() - (255 - middle)) < 60  # the stand-in paints by inverting


def test_nothing_is_wider_than_the_screen(page: Page) -> None:
    """A phone needs no sideways scrolling."""
    width = page.evaluate("document.documentElement.scrollWidth")
    assert page.viewport_size is not None
    assert width <= page.viewport_size["width"]


def test_what_is_no_picture_gets_words(page: Page, tmp_path: Path) -> None:
    """A file that is no picture takes the portraits away and says why."""
    (tmp_path / "me.png").write_text("no picture")
    page.reload()
    page.locator("#photo input[type=file]").first.set_input_files(tmp_path / "me.png")
    expect(page.locator("#says")).to_contain_text("not a picture")


def test_nothing_is_asked_of_other_machines(page: Page, page_address: str) -> None:
    """Scripts, styles, fonts and pictures come from the page itself."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    expect(page.locator("#photo input[type=file]").first).to_be_attached()
    assert asked
    own = (page_address, "data:", "blob:")
    assert [address for address in asked if not address.startswith(own)] == []
