"""Make README's picture of MLflow: `python docs/images/mlflow.py ADDRESS`, where Chromium is.

ADDRESS is what `kedro mlflow ui --env=sample` prints after `kedro run --env=sample`.
"""

import sys
from pathlib import Path

from browser import opened_page

with opened_page(1900, 700) as page:
    page.goto(sys.argv[1])
    page.get_by_role("link", name="proposed", exact=True).wait_for()
    page.wait_for_timeout(3000)  # the columns find their widths
    page.screenshot(path=Path(__file__).with_name("mlflow.png"))
