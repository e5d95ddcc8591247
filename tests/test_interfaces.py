"""What `kedro mlflow ui` and `kedro viz` open, as the terminal and a browser show it."""

import shutil
import sys
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import mlflow
import pytest
import requests
from mlflow.tracking import MlflowClient
from playwright.sync_api import Page, expect, sync_playwright
from support.mlflow_server import serving
from support.ports import free_port

from portrait_pipeline import interfaces
from portrait_pipeline.datasets.mlflow_run import MlflowRunTracker
from portrait_pipeline.hooks.experiment import describe, save_view, view_page
from portrait_pipeline.interfaces import OVERVIEW, page_of, ui_command, viz

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE_MS = 120_000
EXPERIMENT = "portrait_pipeline/mine"
MODELS = {"baseline": 0.0, "proposed": 0.5}
ROOT = Path(__file__).resolve().parents[1]
PARTS = {"ingestion", "preparation", "tuning", *MODELS, "evaluation", "reporting"}
READABLE_PX = 12
SETTLED = """count => {
    const nodes = [...document.querySelectorAll('.pipeline-node')].map(node => {
        const {left, right, top, bottom} = node.getBoundingClientRect();
        return {name: node.textContent, height: bottom - top,
                fits: left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight};
    });
    const names = new Set(nodes.map(node => node.name));
    return names.size == count && nodes.every(node => node.fits) && nodes;
}"""
"""All nodes, once they have their names and the view has come to rest around them."""


def settings() -> Any:
    """kedro-mlflow's settings, as far as the page needs them."""
    experiment = SimpleNamespace(name=EXPERIMENT)
    return SimpleNamespace(
        server=SimpleNamespace(_mlflow_client=MlflowClient()),
        tracking=SimpleNamespace(experiment=experiment),
    )


@pytest.mark.usefixtures("mlflow_store")
def test_the_page_is_that_of_the_models_once_there_are_any(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before, MLflow's own first page, and a line that says why; nothing is made by looking."""
    assert page_of(settings(), "http://127.0.0.1:5000") == "http://127.0.0.1:5000"
    assert f"Nothing was trained in {EXPERIMENT} yet" in capsys.readouterr().out
    assert MlflowClient().get_experiment_by_name(EXPERIMENT) is None
    made = MlflowClient().create_experiment(EXPERIMENT)
    assert page_of(settings(), "http://x") == f"http://x/{view_page(made)}"


def test_mlflow_is_started_by_this_python() -> None:
    """No folder of programs on the PATH is needed."""
    assert ui_command("sqlite:///a.db", "127.0.0.1", "5000")[:4] == [
        sys.executable, "-m", "mlflow", "ui",
    ]  # fmt: skip


def test_a_page_that_does_not_open_is_an_error(
    monkeypatch: pytest.MonkeyPatch, mlflow_store: Path
) -> None:
    """The command ends as MLflow does, such as at a port that is none."""
    failing = [sys.executable, "-I", "-S", "-c", "raise SystemExit(7)"]
    monkeypatch.setattr(interfaces, "ui_command", lambda *_: failing)
    made = settings()
    made.server.mlflow_tracking_uri = f"sqlite:///{mlflow_store}"
    made.ui = SimpleNamespace(host="127.0.0.1", port="-1")
    with pytest.raises(SystemExit) as end:
        interfaces._open_mlflow(made, None, None)
    assert end.value.code == 7


def train_two_models() -> str:
    """Leave in the store what a run of two models leaves; return the page that shows them."""
    client = MlflowClient()
    experiment = client.create_experiment(EXPERIMENT)
    describe(client, client.get_experiment(experiment))
    with mlflow.start_run(experiment_id=experiment, run_name="__default__"):
        for model, weight in MODELS.items():
            tracker = MlflowRunTracker(model)
            parameters = {"lambda_perceptual": weight, "seed": 7}
            tracker.start(model, parameters, {"data_hash": "c0ffee"})
            measured = {"test_ssim": 0.25, "test_identity_similarity_by_geometry": 0.5}
            tracker.log_metrics({"lambda_perceptual": weight, **measured, "test_kid_n40": 0.125})
            tracker.finish()
    save_view(client, experiment)
    return view_page(experiment)


@pytest.fixture
def address(mlflow_store: Path) -> Iterator[str]:
    """Where MLflow serves two models."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here; `apt-get install chromium` brings it")
    page = train_two_models()
    port = free_port()
    command = ui_command(f"sqlite:///{mlflow_store}", "127.0.0.1", str(port))
    with serving(command, port):
        yield f"http://127.0.0.1:{port}/{page}"


def row(page: Page, name: str) -> str:
    """Return the text of one row of MLflow's table, whose left part is fixed."""
    index = page.locator("[row-index]", has=page.get_by_role("link", name=name, exact=True))
    number = index.first.get_attribute("row-index")
    return " ".join(page.locator(f"[row-index='{number}']").all_inner_texts())


def test_mlflows_first_view_shows_each_model_with_its_numbers(address: str) -> None:
    """Each model is a row, with λ_p, SSIM, identity, KID, seed and the hash of its pictures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1500, "height": 950})
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        page.goto(address)
        expect(page.get_by_role("link", name="proposed", exact=True)).to_be_visible()
        headers = " ".join(page.locator(".ag-header-cell").all_inner_texts())
        rows = {name: row(page, name) for name in MODELS}
        browser.close()
    for column in ("lambda_perceptual", "test_ssim", "test_identity", "test_kid_n40", "seed"):
        assert column in headers
    for name, weight in MODELS.items():
        for shown in (f"{weight:g}", "0.25", "0.5", "0.125", "7", "c0ffee"):
            assert shown in rows[name].split() or f"({shown})" in rows[name], rows


# Kedro-Viz asks Click for a class that Click will rename.
@pytest.mark.filterwarnings("ignore:'BaseCommand' is deprecated:DeprecationWarning")
def test_kedro_viz_opens_the_parts_of_the_pipeline(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of Kedro-Viz's commands are there; its `run` opens the overview."""
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open_new", opened.append)
    context = click.Context(viz)
    assert viz.list_commands(context) == ["build", "deploy", "run"]
    assert all(viz.get_command(context, name) for name in viz.list_commands(context))
    utils = pytest.importorskip("kedro_viz.launchers.utils")
    utils._start_browser("127.0.0.1", 4141)
    assert opened == [f"http://127.0.0.1:4141/{OVERVIEW}"]
    assert opened[0] in capsys.readouterr().out


@pytest.mark.slow
def test_kedro_vizs_first_view_is_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts of the pipeline fit a screen of 1500 by 950, their names in letters one can read.

    The environment is followed, and the layers are in the order of the data.
    """
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here; `apt-get install chromium` brings it")
    monkeypatch.chdir(ROOT)
    port = free_port()
    command = [sys.executable, "-m", "kedro", "viz", "run", "--no-browser", "--env=sample"]
    with serving([*command, f"--port={port}"], port, "api/main"):
        answer = requests.get(f"http://127.0.0.1:{port}/api/main", timeout=60).json()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(viewport={"width": 1500, "height": 950})
            page.set_default_timeout(PATIENCE_MS)
            page.goto(f"http://127.0.0.1:{port}/{OVERVIEW}")
            found = page.wait_for_function(SETTLED, arg=len(PARTS) + 1, timeout=PATIENCE_MS)
            heights = {node["name"]: node["height"] for node in found.json_value()}
            browser.close()
    assert set(heights) == {*PARTS, "use_chosen_lambda"}
    assert min(heights.values()) > READABLE_PX
    assert answer["layers"] == sorted(answer["layers"])
    assert answer["layers"]
