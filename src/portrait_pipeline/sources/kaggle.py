"""Kaggle data sets, through kagglehub, which finds the user's own credentials."""

import contextlib
import io
import logging
import os
import re
import shutil
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import kagglehub
import requests

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.files import put_in_place

CACHE_VARIABLE = "KAGGLEHUB_CACHE"
TOKEN_ADDRESS = "https://www.kaggle.com/settings"


def fetch_kaggle(dataset: str, folder: Path, hint: str) -> Path:
    """Download a data set below `folder`, unless it is there, and return its folder.

    An interrupted download continues. Inside Kaggle's own notebooks, the data set is read where it
    is mounted.

    Args:
        dataset: `owner/name`, optionally `owner/name/versions/N`.
        folder: Where data sets are kept.
        hint: What the person can do when it fails; ends the error's sentence.

    Raises:
        PortraitPipelineError: if the name is not valid, or Kaggle refuses, does not know the data
            set or cannot be reached.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+(/versions/\d+)?", dataset):
        raise PortraitPipelineError(
            f"kaggle_dataset is {dataset!r}, expected owner/name as in its address; or {hint}"
        )
    complete = folder / "complete" / dataset.replace("/", "_")
    if complete.is_dir():
        return complete
    cache = folder / "partial"
    try:
        with _kept_in(cache), _quiet():
            fetched = Path(kagglehub.dataset_download(dataset))
    except Exception as error:  # kagglehub's, its network's or those of the archive that came
        # Their messages hold signed addresses: none of them may reach a log, not even as a cause.
        raise PortraitPipelineError(f"{_reason(dataset, error)}; or {hint}") from None
    if not fetched.resolve().is_relative_to(cache.resolve()):
        return fetched
    complete.parent.mkdir(parents=True, exist_ok=True)
    put_in_place(fetched, complete)
    shutil.rmtree(cache, ignore_errors=True)
    return complete


def _reason(dataset: str, error: Exception) -> str:
    named = f"the Kaggle data set {dataset!r}"
    token = (
        f"an API token (create one at {TOKEN_ADDRESS} and save it as ~/.kaggle/kaggle.json or in"
        " the environment variable KAGGLE_API_TOKEN)"
    )
    response = getattr(error, "response", None)
    match None if response is None else response.status_code:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN as status:
            return f"{named} is refused (answer {status}), expected {token}"
        case HTTPStatus.NOT_FOUND:
            return f"{named} is not known there (answer 404), expected owner/name"
        case int(status):
            return f"{named} could not be downloaded (answer {status}); try again later"
        case _ if isinstance(error, requests.RequestException):
            return (
                f"{named} was not downloaded ({type(error).__name__}), expected a connection to"
                f" Kaggle and, if it asks for one, {token}; run it again to continue"
                " the download"
            )
        case _ if isinstance(error, OSError):
            return f"{named} could not be written ({error.strerror}), expected room on that disk"
        case _:
            return f"{named} could not be downloaded ({type(error).__name__}), expected {token}"


@contextlib.contextmanager
def _kept_in(cache: Path) -> Iterator[None]:
    """Let kagglehub keep its cache here: it resumes only downloads in its cache."""
    before = os.environ.get(CACHE_VARIABLE)
    os.environ[CACHE_VARIABLE] = str(cache.absolute())
    try:
        yield
    finally:
        if before is None:
            del os.environ[CACHE_VARIABLE]
        else:
            os.environ[CACHE_VARIABLE] = before


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress kagglehub's messages on the terminal, except its progress bar."""
    logger = logging.getLogger("kagglehub")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
