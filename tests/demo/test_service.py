import io
import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.picture_files import encoded, many_scans, noise
from support.stand_in_model import StandInShelf, stand_in_judge, stand_in_model

from portrait_pipeline.demo import words
from portrait_pipeline.demo.limits import MAX_PICTURE_PIXELS, MAX_UPLOAD_BYTES
from portrait_pipeline.demo.service import PortraitService, RefusedError
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.portrayal.portrayer import PortraitModel
from portrait_pipeline.portrayal.similarity import DescriptorJudge


@pytest.fixture
def service() -> PortraitService:
    return PortraitService(StandInShelf("proposed", "baseline"), stand_in_judge)


def png(level: int, size: tuple[int, int] = (90, 70)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (level, level, level)).save(file, "PNG")
    return file.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header says that it is huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = (
        chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )
    return b"\x89PNG\r\n\x1a\n" + body


def test_a_photo_is_answered(service: PortraitService) -> None:
    """Crop, a portrait by baseline and by the chosen model in this order, and a word on each."""
    answer = service.portray(png(100), "proposed")
    assert list(answer.portraits) == ["baseline", "proposed"]
    assert answer.chosen == "proposed"
    assert answer.num_faces == 1
    assert set(answer.likenesses) == {"baseline", "proposed"}
    assert np.array_equal(answer.portraits["proposed"], 255 - answer.photo)


def test_the_baseline_alone_stands_alone(service: PortraitService) -> None:
    """Choosing the baseline shows it once."""
    assert list(service.portray(png(100), "baseline").portraits) == ["baseline"]


def test_a_photo_sent_before_a_model_was_chosen_is_answered(service: PortraitService) -> None:
    """A visitor quicker than the list of models gets the first one of it."""
    assert service.portray(png(100), "").chosen == "proposed"


def test_many_faces_are_counted(service: PortraitService) -> None:
    """With several faces the largest is portrayed, and the page says how many there were."""
    answer = service.portray(png(230), "proposed")
    assert answer.num_faces == 2
    assert "2 faces" in words.notes(answer)


def test_another_model_paints_the_same_face(service: PortraitService) -> None:
    """A face that was found can be painted again without the photo."""
    first = service.portray(png(100), "proposed")
    again = service.portray_again(first.photo, "baseline")
    assert np.array_equal(first.photo, again.photo)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (png(0), "No face was found"),
        (b"", "not a picture"),
        (b"hello", "not a picture"),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            "not a picture",
        ),
        (b"%PDF-1.4 ...", "not a picture"),
        (png(100)[:60], "incomplete|damaged|not a picture"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * MAX_UPLOAD_BYTES, "too large"),
        (png_that_claims(20_000, 20_000), "too many pixels"),
        (png_that_claims(6_000, 6_000), "too many pixels"),
        (png_that_claims(2_000_000, 2_000_000), "too many pixels"),
        (png_that_claims(0, 5), "not a picture|damaged"),
        (many_scans(3000), "takes too long"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "HEIC"),
        (encoded(noise(64, 64), "EPS"), "not a picture"),
    ],
)
def test_what_cannot_be_portrayed_is_told_why(
    service: PortraitService, data: bytes, says: str
) -> None:
    """Every kind of bad upload gets a sentence of its own, and none is unpacked to find out."""
    with pytest.raises(RefusedError, match=says):
        service.portray(data, "proposed")


def test_pixels_are_counted_before_they_are_unpacked(
    service: PortraitService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bomb is refused from its header: no pixel of it is decoded."""

    def explode(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(Image.Image, "load", explode)
    edge = int(MAX_PICTURE_PIXELS**0.5) + 1
    with pytest.raises(RefusedError, match="too many pixels"):
        service.portray(png_that_claims(edge, edge), "proposed")


def test_every_awkward_file_gets_an_answer(service: PortraitService, shared_pictures: Path) -> None:
    """Whatever real folders hold, the page answers with a portrait or a sentence."""
    answered = {}
    for path in sorted((shared_pictures / "awkward").iterdir()):
        try:
            service.portray(path.read_bytes(), "proposed")
            answered[path.name] = "portrait"
        except RefusedError as error:
            answered[path.name] = str(error)
    assert answered["face_cmyk.jpg"] == answered["hopper_16bit.pgm"] == "portrait"
    assert "incomplete" in answered["face_truncated60pct.jpg"]
    assert all(
        says == "portrait" or says.endswith((".", "works best.")) for says in answered.values()
    )


def test_a_slow_answer_is_given_up() -> None:
    """Past its time limit a request is told so; what cannot be stopped bothers nobody."""
    gate = threading.Event()

    class SlowShelf(StandInShelf):
        def load(self, name: str) -> PortraitModel:
            gate.wait(20)
            return super().load(name)

    service = PortraitService(SlowShelf("proposed"), stand_in_judge, time_limit_seconds=0.05)
    try:
        with pytest.raises(RefusedError, match="too long"):
            service.portray(png(100), "proposed")
    finally:
        gate.set()


def test_models_that_are_not_there_are_named() -> None:
    """A model that was never offered, or cannot be loaded, is a sentence."""
    service = PortraitService(StandInShelf("proposed"), stand_in_judge)
    with pytest.raises(RefusedError, match="not there any more"):
        service.portray(png(100), "../../etc/passwd")

    class BrokenShelf(StandInShelf):
        def load(self, name: str) -> PortraitModel:
            raise PortraitPipelineError("the checkpoint is damaged")

    with pytest.raises(RefusedError, match="damaged"):
        PortraitService(BrokenShelf("proposed"), stand_in_judge).portray(png(100), "proposed")


def test_a_model_prepared_differently_stands_alone() -> None:
    """Beside a baseline of another crop a model is shown without it, instead of on a wrong crop."""

    class MixedShelf(StandInShelf):
        def load(self, name: str) -> PortraitModel:
            model = stand_in_model(name)
            margin = 0.35 if name == "baseline" else 0.8
            preparation = model.preparation.model_copy(update={"margin": margin})
            return PortraitModel(name, preparation, model.finder, model.painter)

    service = PortraitService(MixedShelf("proposed", "baseline"), stand_in_judge)
    assert list(service.portray(png(100), "proposed").portraits) == ["proposed"]


def test_words_are_escaped(service: PortraitService) -> None:
    """Names and messages cannot bring markup onto the page."""
    assert "<script>" not in words.refusal("<script>alert(1)</script>")
    likeness = DescriptorJudge("<b>", lambda c: np.ones((len(c), 2)), (0.1, 0.2, 0.3)).compare(
        np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8)
    )
    assert "<b>" not in words.caption("<i>", likeness).replace("<b>", "", 0).split("judge")[1]
