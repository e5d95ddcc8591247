"""A page in Chromium, for the scripts that make the documents' pictures."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright


@contextmanager
def opened_page(width_px: int, height_px: int, scale: float = 1.0) -> Iterator[Page]:
    """Open an empty page of this size; `scale` is that of its screenshots."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        size = {"width": width_px, "height": height_px}
        page = browser.new_page(viewport=size, device_scale_factor=scale)
        page.set_default_timeout(120_000)
        yield page
        browser.close()
