"""Many visitors, and many visits, over real HTTP on this machine."""

import gc
import io
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from support.page_client import PageClient

from portrait_pipeline.demo.limits import MAX_MESSAGE_BYTES

pytestmark = [  # both are Gradio's
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

QUEUE_FULL = "Queue is full"
"""What the server says; Gradio's page tells the visitor to try again."""

NUM_AT_ONCE = 40
NUM_VISITS = 300
WARM_UP_VISITS = 60
MAX_GROWTH_BYTES = 24_000_000


def photo(level: int) -> bytes:
    """A gradient around a level of grey, which PNG files of it hold in a few bytes."""
    row = np.linspace(level - 20, level + 20, 96).astype(np.uint8)
    pixels = np.broadcast_to(row[None, :, None], (96, 96, 3))
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG")
    return file.getvalue()


def visit(address: str, data: bytes, model: str = "proposed") -> tuple[str, str]:
    client = PageClient(address)
    try:
        how, parts = client.ask(data, model)
        return how, str(parts[0]) if parts else ""
    finally:
        client.close()


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_a_visit_is_answered(page_address: str) -> None:
    """A photo over HTTP gives words, three pictures, a slider and a file to download."""
    client = PageClient(page_address)
    how, parts = client.ask(photo(100))
    client.close()
    assert how == "answered"
    addresses = [part["value"]["url"] for part in parts[1:4]]
    for address in addresses:
        answer = httpx.get(address)
        assert Image.open(io.BytesIO(answer.content)).size == (512, 512)
        assert answer.headers["cache-control"] == "private, no-store"


def test_a_visit_leaves_no_word_in_the_log(
    page_address: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither the page nor a library below notes that there was a visitor."""
    caplog.set_level(logging.INFO)
    assert visit(page_address, photo(100))[0] == "answered"
    ours = [record for record in caplog.records if not record.name.startswith("httpx")]
    assert [record.getMessage() for record in ours] == []
    shown = capfd.readouterr()
    assert shown.out + shown.err == ""


def test_forty_at_once_are_answered_or_refused_politely(page_address: str) -> None:
    """Forty visitors in one moment: every one gets a portrait or is asked to come back."""
    with ThreadPoolExecutor(NUM_AT_ONCE) as crowd:
        levels = [60 + 3 * n for n in range(NUM_AT_ONCE)]
        results = list(crowd.map(lambda level: visit(page_address, photo(level)), levels))
    kinds = [how for how, _ in results]
    assert set(kinds) <= {"answered", "refused"}
    assert kinds.count("answered") >= 8
    refusals = {words for how, words in results if how == "refused"}
    assert all("try again" in words or QUEUE_FULL in words for words in refusals)
    assert visit(page_address, photo(100))[0] == "answered"


def test_memory_stays_flat(page_address: str) -> None:
    """After a warm-up, hundreds of visits add no more than noise to the process's memory."""
    if not Path("/proc/self/statm").exists():
        pytest.skip("this system does not say how much memory a process holds (/proc)")
    for n in range(WARM_UP_VISITS):
        visit(page_address, photo(60 + n % 100))
    gc.collect()
    before = resident_bytes()
    for n in range(NUM_VISITS - WARM_UP_VISITS):
        assert visit(page_address, photo(60 + n % 100))[0] == "answered"
    gc.collect()
    assert resident_bytes() - before < MAX_GROWTH_BYTES


def test_awkward_files_get_words(
    page_address: str,
    shared_pictures: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Every awkward file through the page: a portrait or a sentence, and no stack trace."""
    caplog.set_level(logging.DEBUG)
    for path in sorted((shared_pictures / "awkward").iterdir()):
        how, words = visit(page_address, path.read_bytes())
        assert how == "answered", path.name
        assert "Traceback" not in words
        assert 'class="hint"' in words or 'class="refusal"' in words
    shown = capfd.readouterr()
    assert "Traceback" not in shown.out + shown.err + caplog.text


def test_forged_inputs_are_refused(page_address: str, tmp_path: Path) -> None:
    """Paths, addresses and models that the page never gave out are not used."""
    secret = tmp_path / "secret.png"
    secret.write_bytes(photo(100))
    meta = {"meta": {"_type": "gradio.FileData"}}
    forged = [
        {"path": str(secret), **meta},
        {"path": "/etc/passwd", **meta},
        {"path": "http://127.0.0.1:1/x.png", **meta},
        {"path": "x", "url": "data:image/png;base64,AAAA", **meta},
        "just text",
        None,
    ]
    for photo_input in forged:
        client = PageClient(page_address)
        how, parts = client.join([photo_input, "proposed"])
        client.close()
        assert how == "failed" or "choose it again" in parts[0]
    how, said = visit(page_address, photo(100), "../../etc/passwd")
    assert how == "failed" or "not there any more" in said


def test_what_was_sent_is_gone_after_its_answer(page_address: str) -> None:
    """The address of an upload serves nothing once it is answered."""
    with httpx.Client(base_url=page_address) as http:
        (path,) = http.post("/gradio_api/upload", files={"f": ("a.png", photo(90))}).json()
        assert http.get(f"/gradio_api/file={path}").status_code == 200
        client = PageClient(page_address)
        client.join([{"path": path, "meta": {"_type": "gradio.FileData"}}, "proposed"])
        client.close()
        assert http.get(f"/gradio_api/file={path}").status_code in (403, 404)
        assert not Path(path).exists()


def test_the_server_says_little(page_address: str) -> None:
    """No API description, no foreign host, no other file, no long message."""
    with httpx.Client(base_url=page_address) as http:
        assert http.get("/gradio_api/info").status_code == 404
        assert http.get("/", headers={"host": "evil.example"}).status_code == 404
        assert http.get("/gradio_api/file=/etc/passwd").status_code in (403, 404)
        long = b'{"data": ["' + b"x" * MAX_MESSAGE_BYTES + b'"]}'
        assert http.post("/gradio_api/queue/join", content=long).status_code == 413
        assert "gradio.app" not in http.get("/config").text
