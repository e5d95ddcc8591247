"""Make README's picture of MLflow: `python docs/images/mlflow.py ADDRESS`, where Chromium is.

ADDRESS is what `kedro mlflow ui --env=sample` prints after `kedro run --env=sample`.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path=shutil.which("chromium"), args=["--no-sandbox"]
    )
    page = browser.new_page(viewport={"width": 1900, "height": 700})
    page.set_default_timeout(120_000)
    page.goto(sys.argv[1])
    page.get_by_role("link", name="proposed", exact=True).wait_for()
    page.wait_for_timeout(3000)  # the columns find their widths
    page.screenshot(path=Path(__file__).with_name("mlflow.png"))
    browser.close()
