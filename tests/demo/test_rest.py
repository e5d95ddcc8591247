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
from support.stand_in_model import StandInShelf, stand_in_model

from portrait_pipeline.demo.gate import Gate
from portrait_pipeline.demo.limits import MAX_UPLOAD_BYTES
from portrait_pipeline.demo.messages import MessageRules
from portrait_pipeline.demo.rest import PORTRAIT_ADDRESS, portrait_route
from portrait_pipeline.demo.service import PortraitService
from portrait_pipeline.demo.shipped_shelf import ShippedShelf
from portrait_pipeline.demo.visitors import Places
from portrait_pipeline.portrayal.photo import Photo
from portrait_pipeline.portrayal.portrayer import FacePortrayer
from portrait_pipeline.portrayal.shipped import ShippedModelError
from portrait_pipeline.portrayal.sizing import portrait_at_size

HOST = "127.0.0.1:7860"
OWN_SIZE_PX = 38
"""Edge of the crop that the stand-in finds in `photo()`: 0.4 of 70 px, and the margin."""


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


@pytest.mark.parametrize(("query", "size_px"), [("", OWN_SIZE_PX), ("?size=200", 200)])
def test_a_posted_photo_is_answered_with_its_portrait(
    client: Client, query: str, size_px: int
) -> None:
    """A PNG in the face's size or the one asked for, which nobody between may keep."""
    answer = client().post(f"{PORTRAIT_ADDRESS}{query}", content=photo())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["cache-control"] == "no-store"
    portrait = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert portrait.shape == (size_px, size_px, 3)
    assert portrait.mean() == pytest.approx(155, abs=2)


@pytest.mark.parametrize("size_px", [None, 40, 64, 300])
def test_a_program_gets_what_the_command_writes(client: Client, size_px: int | None) -> None:
    """Sizes above the model's keep the edges that photo and portrait share, as in `portrait`."""
    noise = np.random.default_rng(0).integers(60, 160, (500, 500, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize((700, 700), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    picture.save(file, "PNG")
    query = "" if size_px is None else f"?size={size_px}"
    answer = client().post(f"{PORTRAIT_ADDRESS}{query}", content=file.getvalue())
    (portrayal,) = FacePortrayer([stand_in_model()]).portray([Photo.of_image(picture)])
    expected = portrait_at_size(picture, portrayal.faces[0], "proposed", size_px)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.content))), expected)


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


@pytest.mark.parametrize("query", ["size=", "size=64&size=128", "faces=all", "size_px=64"])
def test_what_cannot_be_asked_for_is_refused(client: Client, query: str) -> None:
    """Instead of being left out silently."""
    answer = client().post(f"{PORTRAIT_ADDRESS}?{query}", content=photo())
    assert answer.status_code == 422
    assert "size" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"content-type": "multipart/form-data; boundary=x"}, "is a form"),
        ({"content-encoding": "gzip"}, "is compressed"),
    ],
)
def test_a_photo_in_another_form_is_refused(
    client: Client, headers: dict[str, str], words: str
) -> None:
    """The form is at fault, and not the picture."""
    answer = client().post(PORTRAIT_ADDRESS, content=photo(), headers=headers)
    assert answer.status_code == 415
    assert words in answer.json()["detail"]
