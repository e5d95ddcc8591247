"""One page, served once for the tests of this folder, with a model that is quick."""

import warnings
from collections.abc import Iterator

import pytest
from support.ports import free_port
from support.stand_in_model import StandInShelf, stand_in_judge

from portrait_pipeline.demo.app import running_page
from portrait_pipeline.demo.service import PortraitService


@pytest.fixture(scope="session")
def page_address() -> Iterator[str]:
    """Address of a page with a stand-in baseline and proposed model."""
    service = PortraitService(StandInShelf("proposed", "baseline"), stand_in_judge)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Gradio's own, of its own parts
        with running_page(service, "127.0.0.1", free_port()) as address:
            yield address.rstrip("/")
