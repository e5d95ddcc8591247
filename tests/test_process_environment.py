"""What other libraries read from the environment is set, unless the user has set it."""

import os

import pytest
import requests

from portrait_pipeline.process_environment import MLFLOW_SETTINGS, prepare_environment

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


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
