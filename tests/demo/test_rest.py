"""The address for programs: a photo in, a PNG out, and the page's limits."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from support.stand_in_model import StandInShelf

from portrait_pipeline.demo.gate import Gate
from portrait_pipeline.demo.limits import MAX_UPLOAD_BYTES
from portrait_pipeline.demo.messages import MessageRules
from portrait_pipeline.demo.rest import PORTRAIT_ADDRESS, portrait_route
from portrait_pipeline.demo.service import PortraitService
from portrait_pipeline.demo.shipped_shelf import ShippedShelf
from portrait_pipeline.demo.visitors import Places
from portrait_pipeline.portrayal.shipped import ShippedModelError

HOST = "127.0.0.1:7860"


def photo(level: int = 100, size: tuple[int, int] = (90, 70)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (level, level, level)).save(file, "PNG")
    return file.getvalue()


Client = Callable[..., TestClient]


@pytest.fixture
def client() -> Client:
    def make(places: Places | None = None) -> TestClient:
        service = PortraitService(StandInShelf("proposed"), None)
        app = Starlette(
            routes=[portrait_route(service, places or Places(4, 2))],
            middleware=[Middleware(Gate, rules=MessageRules({}, lambda _: False))],
        )
        return TestClient(app, base_url=f"http://{HOST}")

    return make


@pytest.mark.parametrize(("query", "size_px"), [("", 64), ("?size=200", 200)])
def test_a_posted_photo_is_answered_with_its_portrait(
    client: Client, query: str, size_px: int
) -> None:
    """A PNG in the model's size or the one asked for, which nobody between may keep."""
    answer = client().post(f"{PORTRAIT_ADDRESS}{query}", content=photo())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["cache-control"] == "no-store"
    portrait = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert portrait.shape == (size_px, size_px, 3)
    assert portrait.mean() == pytest.approx(155, abs=2)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"no picture", "not a picture"), (photo(0), "No face")],
)
def test_what_is_no_photo_of_a_face_is_refused_in_words(
    client: Client, content: bytes, words: str
) -> None:
    """The sentences of the page, as JSON."""
    answer = client().post(PORTRAIT_ADDRESS, content=content)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


@pytest.mark.parametrize("size", ["0", "31", "1025", "1e3", "-64", "٦٤", "64px", "9" * 5000])
def test_a_size_that_is_none_is_refused(client: Client, size: str) -> None:
    """Before the photo is opened."""
    answer = client().post(PORTRAIT_ADDRESS, params={"size": size}, content=photo())
    assert answer.status_code == 422
    assert "size" in answer.json()["detail"]


def test_a_large_body_is_refused_unread(client: Client) -> None:
    """By its length, as an upload of the page."""
    answer = client().post(PORTRAIT_ADDRESS, content=b"x" * (MAX_UPLOAD_BYTES + 50_000))
    assert answer.status_code == 413


def test_nobody_waits_without_a_place(client: Client) -> None:
    """The places are those of the page."""
    assert client(Places(0, 0)).post(PORTRAIT_ADDRESS, content=photo()).status_code == 503


def test_other_sites_and_methods_are_refused(client: Client) -> None:
    """A page of somebody else cannot post a photo; a link cannot ask for one."""
    foreign = {"origin": "http://elsewhere.example"}
    posted = client().post(PORTRAIT_ADDRESS, content=photo(), headers=foreign)
    assert posted.status_code == 403
    assert client().get(PORTRAIT_ADDRESS).status_code == 405


def test_the_shelf_holds_the_model_of_the_package(model_folder: Path, tmp_path: Path) -> None:
    """By its title; one that is not there is said before the page opens."""
    shelf = ShippedShelf(model_folder)
    ((title, name),) = shelf.names()
    assert title == "proposed 2026.1, 64 px (a test)"
    assert shelf.load(name).preparation.crop_size_px == 64
    with pytest.raises(ShippedModelError):
        ShippedShelf(tmp_path)
