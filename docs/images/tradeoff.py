"""Make the plot of docs/results.md: `python docs/images/tradeoff.py`, where Chromium is.

It draws the tables in docs/results, as the report page of the study does.
"""

from pathlib import Path

from browser import opened_page

from portrait_pipeline.datasets.table import TableDataset
from portrait_pipeline.report.plots import trade_off_figure

here = Path(__file__).resolve().parent
tables = [
    TableDataset(filepath=str(here.parent / "results" / f"{name}.csv")).load()
    for name in ("comparison", "lambda_table")
]
figure = trade_off_figure(*tables).to_html(include_plotlyjs=True, default_width="900px")
with opened_page(920, 700) as page:
    page.set_content(figure)
    page.locator(".main-svg").first.wait_for()
    page.locator(".plotly-graph-div").screenshot(path=here / "tradeoff.png")
