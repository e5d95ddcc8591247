"""Files from the network: resumed, checked, patient, and never half there."""

import hashlib
import io
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import requests
from support.http_server import Answer, HostileServer

from portrait_pipeline import downloads
from portrait_pipeline.downloads import (
    DownloadError,
    Patience,
    _Transfer,
    download_file,
)

BODY = bytes(range(256)) * 64
LONG = BODY * 256
"""Too long to arrive in one piece."""
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def waits() -> list[float]:
    """The seconds that were waited for, written down instead of slept."""
    return []


@pytest.fixture
def patience(waits: list[float]) -> Patience:
    """Three attempts, no sleep."""
    return Patience(num_attempts=3, sleep=waits.append)


def only_file(folder: Path) -> Path:
    """Return the one file of a folder, hidden ones counted."""
    (path,) = folder.iterdir()
    return path


def test_whole_file(hostile_server: HostileServer, tmp_path: Path, patience: Patience) -> None:
    """What is served arrives byte for byte, in a folder made for it, and nothing else stays."""
    url = hostile_server.serve("/weights.pt", BODY)
    target = download_file(url, tmp_path / "new" / "weights.pt", SHA256, patience=patience)
    assert target.read_bytes() == BODY
    assert only_file(tmp_path / "new") == target


def test_large_file_under_a_bar(
    hostile_server: HostileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file worth a progress bar arrives the same."""
    monkeypatch.setattr(downloads, "CHUNK_BYTES", 1000)
    target = download_file(hostile_server.serve("/w", BODY), tmp_path / "w")
    assert target.read_bytes() == BODY


def test_second_call_asks_nothing(
    hostile_server: HostileServer, tmp_path: Path, patience: Patience
) -> None:
    """A file that is there with the right hash is not asked for again."""
    url = hostile_server.serve("/weights.pt", BODY)
    for _ in range(2):
        download_file(url, tmp_path / "weights.pt", SHA256, patience=patience)
    assert len(hostile_server.requests) == 1


def test_a_file_with_another_hash_is_replaced(
    hostile_server: HostileServer, tmp_path: Path, patience: Patience
) -> None:
    """A spoilt file at the target is fetched anew when the hash is known."""
    target = tmp_path / "weights.pt"
    target.write_bytes(b"spoilt")
    download_file(hostile_server.serve("/w", BODY), target, SHA256, patience=patience)
    assert target.read_bytes() == BODY


def test_cut_off_transfers_go_on_where_they_stopped(
    hostile_server: HostileServer, tmp_path: Path, patience: Patience
) -> None:
    """Each further request asks only for the missing bytes, as often as there is progress."""
    cut = Answer(BODY, cut_after=3000)
    url = hostile_server.serve("/w", cut, cut, cut, cut, Answer(BODY))
    target = download_file(url, tmp_path / "w", SHA256, patience=patience)
    assert target.read_bytes() == BODY
    ranges = [request.headers.get("Range") for request in hostile_server.requests]
    assert ranges == [None, "bytes=3000-", "bytes=6000-", "bytes=9000-", "bytes=12000-"]


def test_a_later_call_goes_on(
    hostile_server: HostileServer, tmp_path: Path, patience: Patience
) -> None:
    """What one call could not finish the next one finishes; until then the target is not there."""
    url = hostile_server.serve("/w", Answer(BODY, cut_after=1000), Answer(status=503))
    with pytest.raises(DownloadError, match=r"given up after the answer 503 .*expected the file w"):
        download_file(url, tmp_path / "w", patience=patience)
    assert not (tmp_path / "w").exists()
    hostile_server.serve("/w", BODY)
    assert download_file(url, tmp_path / "w", patience=patience).read_bytes() == BODY
    assert hostile_server.requests[-1].headers["Range"] == "bytes=1000-"


@pytest.mark.parametrize("ranges", [True, False])
def test_another_file_is_not_spliced(
    ranges: bool, hostile_server: HostileServer, tmp_path: Path, patience: Patience
) -> None:
    """When the server's file has changed, or it knows no ranges, the file comes whole."""
    url = hostile_server.serve(
        "/w", Answer(BODY[::-1], cut_after=1000), Answer(BODY, ranges=ranges)
    )
    assert download_file(url, tmp_path / "w", patience=patience).read_bytes() == BODY


@pytest.mark.parametrize(
    "wrong",
    [
        Answer(BODY, headers={"Content-Range": "bytes 0-9/10"}),
        Answer(BODY[:-99], 206, headers={"Content-Range": f"bytes 0-{len(BODY) - 1}/{len(BODY)}"}),
    ],
    ids=["of another file", "from the beginning"],
)
def test_a_range_that_was_not_asked_for(
    wrong: Answer, hostile_server: HostileServer, tmp_path: Path, patience: Patience
) -> None:
    """A wrong Content-Range, or 416, makes the transfer start anew, also where the length fits."""
    url = hostile_server.serve(
        "/w", Answer(BODY, cut_after=99), wrong, Answer(BODY, cut_after=9), Answer(status=416), BODY
    )
    assert download_file(url, tmp_path / "w", patience=patience).read_bytes() == BODY


def test_wrong_hash(hostile_server: HostileServer, tmp_path: Path, patience: Patience) -> None:
    """A file with another hash is refused with both hashes, and no byte of it is kept."""
    url = hostile_server.serve("/w", b"another file")
    with pytest.raises(DownloadError, match=f"expected {SHA256}.*put it there yourself"):
        download_file(url, tmp_path / "w", SHA256, "put it there yourself", patience)
    assert not list(tmp_path.iterdir())


def test_waits_double_and_retry_after_wins(
    hostile_server: HostileServer, tmp_path: Path, waits: list[float]
) -> None:
    """Pauses double; Retry-After, in seconds or as a date by the server's clock, replaces them."""
    in_40_s = format_datetime(datetime.now(UTC) + timedelta(seconds=40))
    url = hostile_server.serve(
        "/w",
        Answer(status=500),
        Answer(status=502),
        Answer(status=429, headers={"Retry-After": "17"}),
        Answer(status=503, headers={"Retry-After": in_40_s}),
        Answer(status=503, headers={"Retry-After": "soon"}),
        Answer(BODY),
    )
    download_file(url, tmp_path / "w", patience=Patience(num_attempts=9, sleep=waits.append))
    assert waits == [1, 2, 17, pytest.approx(40, abs=5), 16]


def test_patience_ends(
    hostile_server: HostileServer, tmp_path: Path, patience: Patience, waits: list[float]
) -> None:
    """After three failures without a byte, or at a pause too long, one sentence says so."""
    url = hostile_server.serve("/w", Answer(status=500))
    with pytest.raises(DownloadError, match="500"):
        download_file(url, tmp_path / "w", patience=patience)
    assert waits == [1, 2]
    url = hostile_server.serve("/w", Answer(status=429, headers={"Retry-After": "86400"}))
    with pytest.raises(DownloadError, match="429"):
        download_file(url, tmp_path / "w", patience=patience)
    assert waits == [1, 2]


def test_refusals_are_not_repeated(
    hostile_server: HostileServer, tmp_path: Path, patience: Patience
) -> None:
    """404 and a web page in place of the file are final, named, and leave nothing."""
    with pytest.raises(DownloadError, match="404") as refusal:
        download_file(hostile_server.url + "/none", tmp_path / "w", patience=patience)
    assert refusal.value.status == 404
    page = Answer(b"<html>please log in</html>", content_type="text/html; charset=utf-8")
    with pytest.raises(DownloadError, match=r"web page \(HTML\)"):
        download_file(hostile_server.serve("/w", page), tmp_path / "w", patience=patience)
    assert len(hostile_server.requests) == 2
    assert not list(tmp_path.iterdir())


def test_nobody_there(tmp_path: Path, patience: Patience, waits: list[float]) -> None:
    """A refused connection is tried again, then told in one sentence without the query's secret."""
    told = r"http://\*\*\*@127\.0\.0\.1:1/w\?\*\*\* was given up"
    with pytest.raises(DownloadError, match=told) as error:
        download_file(
            "http://me:pass@127.0.0.1:1/w?token=secret", tmp_path / "w", patience=patience
        )
    assert waits == [1, 2]
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("url", ["ftp://somewhere/w", "https://", "weights.pt"])
def test_not_an_address(url: str, tmp_path: Path) -> None:
    """Only http(s) with a host is an address."""
    with pytest.raises(DownloadError, match=r"is no address, expected http\(s\)"):
        download_file(url, tmp_path / "w")


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    """User, password, query and fragment are masked in what is said of an address."""
    with pytest.raises(DownloadError) as told:
        download_file("ftp://me:pass@host:8/a/b.zip?token=1#x", tmp_path / "w")
    assert str(told.value).startswith("'ftp://***@host:8/a/b.zip?***' is no address")


def part(start: int, stop: int, total: int | str = len(BODY), **headers: str) -> Answer:
    """A 206 answer with a part of the file."""
    said = {"Content-Range": f"bytes {start}-{stop - 1}/{total}"} | headers
    return Answer(BODY[start:stop], status=206, headers=said)


@pytest.mark.parametrize(
    "first",
    [
        part(0, 5000),
        part(0, 5000, ETag="none"),
        part(0, 5000, total="*"),
        part(100, 5000),
        part(0, len(BODY), total=len(BODY) - 1),
        Answer(BODY[:5000], status=206),
        Answer(BODY[:5000], status=206, headers={"Content-Range": "bytes */16384"}),
        Answer(BODY[:5000], status=206, headers={"Content-Range": "items 0-4999/5000"}),
        Answer(BODY[:5000], status=206, headers={"Content-Range": "bytes 0-9999/16384"}),
        Answer(BODY[:5000], status=206, content_type="multipart/byteranges; boundary=x"),
    ],
    ids=lambda answer: str(answer.headers or answer.content_type),
)
def test_a_part_is_never_the_whole(
    first: Answer, hostile_server: HostileServer, tmp_path: Path, patience: Patience
) -> None:
    """A part that nobody asked for is continued or dropped, whatever it says about itself."""
    url = hostile_server.serve("/w", first, Answer(BODY))
    assert download_file(url, tmp_path / "w", patience=patience).read_bytes() == BODY
    url = hostile_server.serve("/v", first)
    with pytest.raises(DownloadError, match="given up after"):
        download_file(url, tmp_path / "v", patience=patience)
    assert not (tmp_path / "v").exists()


def test_a_file_in_parts(hostile_server: HostileServer, tmp_path: Path, patience: Patience) -> None:
    """A server that sends each range in pieces is asked for the next until all is there."""
    parts = [part(start, min(start + 4000, len(BODY))) for start in range(0, len(BODY), 4000)]
    etag = {"ETag": '"one"'}
    parts = [Answer(one.body, 206, headers=one.headers | etag) for one in parts]
    url = hostile_server.serve("/w", *parts)
    assert download_file(url, tmp_path / "w", patience=patience).read_bytes() == BODY
    asked = [request.headers.get("Range") for request in hostile_server.requests]
    assert asked[1:3] == ["bytes=4000-", "bytes=8000-"]


@pytest.mark.parametrize("length", [len(BODY) - 1, len(BODY) + 1])
def test_a_length_that_is_not_the_files(
    length: int, hostile_server: HostileServer, tmp_path: Path, patience: Patience
) -> None:
    """A body that is shorter than announced is not kept; of a longer one no more is taken."""
    lie = Answer(BODY, headers={"Content-Length": str(length)}, ranges=False)
    url = hostile_server.serve("/w", lie)
    if length > len(BODY):
        with pytest.raises(DownloadError, match="broken connection"):
            download_file(url, tmp_path / "w", patience=patience)
        assert not (tmp_path / "w").exists()
    else:
        with pytest.raises(DownloadError, match="SHA-256"):
            download_file(url, tmp_path / "w", SHA256, patience=patience)
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "answer",
    [
        Answer(BODY),
        Answer(BODY, headers={"Content-Length": "999999999999"}),
        Answer(BODY[:100], 206, headers={"Content-Range": "bytes 0-99/999999999999"}),
    ],
)
def test_a_file_without_end_is_refused(
    answer: Answer, hostile_server: HostileServer, tmp_path: Path
) -> None:
    """More bytes than allowed, announced or not, are refused, and none of them are kept."""
    most = Patience(max_bytes=5000, sleep=lambda _: None)
    with pytest.raises(DownloadError, match="is larger than 5000 bytes"):
        download_file(hostile_server.serve("/w", answer), tmp_path / "w", patience=most)
    assert not list(tmp_path.iterdir())


def test_a_file_of_unknown_length_is_bounded_too(
    hostile_server: HostileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a length the bytes are counted as they come."""
    monkeypatch.setattr(_Transfer, "_announced", lambda *_: (None, None))
    most = Patience(max_bytes=5000, sleep=lambda _: None)
    with pytest.raises(DownloadError, match="is larger than 5000 bytes"):
        download_file(hostile_server.serve("/w", BODY), tmp_path / "w", patience=most)
    assert not list(tmp_path.iterdir())


def test_exactly_as_much_as_allowed(hostile_server: HostileServer, tmp_path: Path) -> None:
    """The limit may be reached."""
    most = Patience(max_bytes=len(BODY))
    url = hostile_server.serve("/w", BODY)
    assert download_file(url, tmp_path / "w", SHA256, patience=most).read_bytes() == BODY


@pytest.mark.parametrize("answer", [Answer(LONG), Answer(status=503), Answer(LONG, cut_after=10)])
def test_a_transfer_without_end_is_given_up(
    answer: Answer, hostile_server: HostileServer, tmp_path: Path
) -> None:
    """Dripping, pauses and broken connections count together; a later call goes on."""
    hours = iter(range(0, 3600 * 10_000, 3600))
    patience = Patience(10**7, sleep=lambda _: None, max_seconds=7000, clock=lambda: next(hours))
    url = hostile_server.serve("/w", answer)
    with pytest.raises(DownloadError, match=r"took longer than 7000 seconds|given up after"):
        download_file(url, tmp_path / "w", patience=patience)
    assert not (tmp_path / "w").exists()
    assert len(hostile_server.requests) <= 3
    hostile_server.serve("/w", LONG)
    assert download_file(url, tmp_path / "w").read_bytes() == LONG


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://127.0.0.1/w", "data:text/plain,x", "/w", "http://", "gopher://x"],
)
def test_a_redirect_that_leads_to_no_file(
    location: str, hostile_server: HostileServer, tmp_path: Path, patience: Patience
) -> None:
    """Redirects to files of this machine, to other schemes and in circles end at once."""
    redirect = Answer(status=302, headers={"Location": location})
    with pytest.raises(DownloadError, match="leads to no file"):
        download_file(hostile_server.serve("/w", redirect), tmp_path / "w", patience=patience)
    assert not list(tmp_path.iterdir())


def test_a_redirect_from_https_stays_with_https(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: Patience
) -> None:
    """Nobody on the way may put another file in its place."""
    answer = requests.Response()
    answer.status_code, answer.url, answer.raw = 200, "http://elsewhere.example/w", io.BytesIO(BODY)
    monkeypatch.setattr(requests, "get", lambda *_, **__: answer)
    with pytest.raises(DownloadError, match="leads from https to an address without it"):
        download_file("https://host.example/w", tmp_path / "w", patience=patience)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip", "zstd"])
def test_another_encoding_is_refused(
    encoding: str, hostile_server: HostileServer, tmp_path: Path, patience: Patience
) -> None:
    """A body that would have to be unpacked first is not the file that was asked for."""
    answer = Answer(BODY, headers={"Content-Encoding": encoding})
    with pytest.raises(DownloadError, match=f"another encoding \\('{encoding}'\\)"):
        download_file(hostile_server.serve("/w", answer), tmp_path / "w", patience=patience)


@pytest.mark.parametrize("validator", [b"", b"\xff\xfe", b'"a"\r\nHost: evil.example', b"\0" * 9])
def test_a_spoilt_validator_starts_anew(
    validator: bytes, hostile_server: HostileServer, tmp_path: Path, patience: Patience
) -> None:
    """What a crash has left of the note about a transfer never stops the next one."""
    url = hostile_server.serve("/w", Answer(BODY, cut_after=1000), Answer(status=404), Answer(BODY))
    with pytest.raises(DownloadError, match="404"):
        download_file(url, tmp_path / "w", patience=patience)
    (note,) = tmp_path.glob(".w.*.validator")
    note.write_bytes(validator)
    assert download_file(url, tmp_path / "w", SHA256, patience=patience).read_bytes() == BODY
    assert "Range" not in hostile_server.requests[-1].headers


def test_secrets_reach_no_message(hostile_server: HostileServer, tmp_path: Path) -> None:
    """User, password and query are in no message, whatever goes wrong."""
    host = hostile_server.url.removeprefix("http://")
    patience = Patience(1, sleep=lambda _: None, max_bytes=9000)
    answers = [
        Answer(status=404),
        Answer(status=503),
        Answer(b"<html>", content_type="text/html"),
        Answer(BODY),
        Answer(BODY[:100], cut_after=10),
        Answer(BODY[:100], 206),
        Answer(BODY[:100], headers={"Content-Encoding": "gzip"}),
        Answer(status=302, headers={"Location": "file:///secret"}),
    ]
    url = f"http://me:s3cret@{host}/w?token=s3cret#s3cret"
    for answer in answers:
        hostile_server.serve("/w", answer)
        with pytest.raises(DownloadError) as error:
            download_file(url, tmp_path / "w", patience=patience)
        text = "".join(traceback.format_exception(error.value))
        assert "s3cret" not in text
