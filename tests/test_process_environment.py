"""What other libraries read from the environment is set, unless the user has set it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from portrait_pipeline.process_environment import (
    MLFLOW_SETTINGS,
    REPORTING_OFF,
    prepare_environment,
)

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")

# What tells a library that it runs in a test, where it reports nothing anyway.
TELLS_OF_TESTS = ("CI", "GITHUB_ACTIONS", "ORT_RUNNING_UNIT_TESTS", "PYTEST_CURRENT_TEST")
ASK_THE_LIBRARIES = """
import sys
import mlflow.telemetry.utils, portrait_pipeline
import gradio.analytics, huggingface_hub.constants, kedro_telemetry.plugin
from pathlib import Path
answers = {
    "gradio": gradio.analytics.analytics_enabled(),
    "huggingface_hub": not huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY,
    "kedro": kedro_telemetry.plugin._check_for_telemetry_consent(Path()) is not False,
    "mlflow": not mlflow.telemetry.utils.is_telemetry_disabled(),
}
sys.exit(", ".join(name for name, reports in answers.items() if reports) or 0)
"""


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*MLFLOW_SETTINGS, *PROXIES, *map(str.upper, PROXIES)):
        monkeypatch.setenv(name, "")  # so that it is restored afterwards
        monkeypatch.delenv(name)


def test_mlflow_gives_up_within_a_minute_and_a_half() -> None:
    """A server that takes a connection and never answers costs that long, one that is gone less."""
    prepare_environment()
    tries = 1 + int(os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"])
    assert tries * int(os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"]) <= 90


@pytest.mark.parametrize("name", MLFLOW_SETTINGS)
def test_the_user_decides(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set already is not changed."""
    monkeypatch.setenv(name, "7")
    prepare_environment()
    assert os.environ[name] == "7"


@pytest.mark.parametrize("given", [{}, {"NO_PROXY": "intern.example"}, {"no_proxy": "a, ::1"}])
@pytest.mark.parametrize("proxy", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_no_proxy_on_the_way_to_loopback(
    host: str, proxy: str, given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page and a local MLflow server are reached directly; other addresses are not changed."""
    monkeypatch.setenv(proxy, "http://proxy.example:3128")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    prepare_environment()
    assert not requests.utils.get_environ_proxies(f"http://{host}:7860/")
    assert requests.utils.get_environ_proxies("http://elsewhere.example/")
    if "NO_PROXY" in given:
        assert not requests.utils.get_environ_proxies("http://intern.example/")


def as_at_home(folder: Path) -> dict[str, str]:
    """An environment whose home is an empty folder, that says nothing of tests and reports."""
    unset = (*TELLS_OF_TESTS, *REPORTING_OFF, "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    return kept | {"HOME": str(folder)}


def test_no_library_reports_how_it_is_used(tmp_path: Path) -> None:
    """Each library says so itself, also where MLflow was imported first, as Kedro does."""
    done = subprocess.run(
        [sys.executable, "-c", ASK_THE_LIBRARIES],
        cwd=tmp_path, env=as_at_home(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"these report: {done.stderr}"


def test_onnx_runtime_keeps_no_identifier_of_the_machine(tmp_path: Path) -> None:
    """Neither an identifier nor reports that wait to be sent lie in the user's folder."""
    code = "from portrait_pipeline import Portrayer; Portrayer.pretrained()"
    env = as_at_home(tmp_path)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, check=True)
    assert list(tmp_path.iterdir()) == []
