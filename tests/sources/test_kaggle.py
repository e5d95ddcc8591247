"""Kaggle: one folder per data set, one sentence per failure, no secret in either."""

import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import kagglehub
import pytest
import requests
from kagglehub.exceptions import KaggleApiHTTPError, UnauthenticatedError

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.sources.files import list_folder
from portrait_pipeline.sources.kaggle import fetch_kaggle

SECRET = "signature=0123456789abcdef"
DATASET = "ashwingupta3012/human-faces"


@pytest.fixture
def kaggle(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], list[str]]:
    """Set what kagglehub does in place of a download; the list counts its calls."""
    calls: list[str] = []

    def behave(result: object) -> list[str]:
        def download(handle: str) -> str:
            calls.append(handle)
            if isinstance(result, Exception):
                raise result
            return str(result() if callable(result) else result)

        monkeypatch.setattr(kagglehub, "dataset_download", download)
        return calls

    return behave


def answered(status: int) -> KaggleApiHTTPError:
    """Make the error of an answer, with a signed address in its words."""
    response = requests.Response()
    response.status_code = status
    return KaggleApiHTTPError(f"https://storage/x?{SECRET}", response=response)


def put_into_cache() -> Path:
    """Do what kagglehub does: leave the data set in its cache."""
    version = Path(os.environ["KAGGLEHUB_CACHE"], "datasets", *DATASET.split("/"), "versions", "1")
    version.mkdir(parents=True)
    (version / "face.jpg").write_bytes(b"x")
    return version


def test_fetched_once(kaggle: Callable[[object], list[str]], tmp_path: Path) -> None:
    """A complete data set lies below the folder and is not asked for again."""
    calls = kaggle(put_into_cache)
    for _ in range(2):
        folder = fetch_kaggle(DATASET, tmp_path, "…")
        assert list(list_folder(folder, "…")["name"]) == ["face.jpg"]
    assert calls == [DATASET]
    assert folder.is_relative_to(tmp_path)
    assert "KAGGLEHUB_CACHE" not in os.environ


def test_mounted_data_sets_stay_where_they_are(
    kaggle: Callable[[object], list[str]], tmp_path: Path
) -> None:
    """What lies outside our cache, as in Kaggle's notebooks, is read there and not moved."""
    mounted = tmp_path / "input" / "human-faces"
    mounted.mkdir(parents=True)
    kaggle(mounted)
    assert fetch_kaggle(DATASET, tmp_path / "raw", "…") == mounted


@pytest.mark.parametrize(
    ("failure", "what"),
    [
        (answered(401), r"answer 401.*https://www\.kaggle\.com/settings"),
        (answered(403), r"answer 403.*https://www\.kaggle\.com/settings"),
        (answered(404), r"not known there.*expected owner/name"),
        (answered(503), r"answer 503.*later"),
        (UnauthenticatedError(SECRET), r"https://www\.kaggle\.com/settings"),
        (
            requests.ConnectionError(SECRET),
            r"expected a connection.*https://www\.kaggle\.com/settings.*run it again",
        ),
        (OSError(28, "No space left on device", SECRET), r"No space left on device.*expected room"),
        (tarfile.ReadError(SECRET), r"ReadError"),
        (zipfile.BadZipFile(SECRET), r"BadZipFile"),
        (RuntimeError(SECRET), r"RuntimeError"),
        (ValueError(f"Invalid Kaggle credentials file {SECRET}"), r"kaggle\.com/settings"),
    ],
)
def test_failures_are_sentences_without_secrets(
    failure: Exception, what: str, kaggle: Callable[[object], list[str]], tmp_path: Path
) -> None:
    """Each failure names the data set and what to do; no secret is in its words or cause."""
    kaggle(failure)
    with pytest.raises(PortraitPipelineError, match=f"'{DATASET}'.*{what}.*or fix it") as error:
        fetch_kaggle(DATASET, tmp_path, "fix it")
    assert SECRET not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


@pytest.mark.parametrize("dataset", ["human-faces", "..", "a/b/c", "https://kaggle.com/a/b"])
def test_names_that_are_none(dataset: str, tmp_path: Path) -> None:
    """Anything but owner/name is told before anything is asked."""
    with pytest.raises(PortraitPipelineError, match="expected owner/name"):
        fetch_kaggle(dataset, tmp_path, "fix it")


def test_the_real_library_without_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where nothing can be reached kagglehub itself ends in the same sentence, and silently."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(PortraitPipelineError, match="expected a connection to Kaggle"):
        fetch_kaggle(DATASET, tmp_path, "fix it")
    assert capfd.readouterr().out == ""
