"""The Met's collection: paintings free to use, asked for gently and only once."""

import json
import logging
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pandas as pd
import pytest
from support.http_server import Answer, HostileServer

from portrait_pipeline.downloads import DownloadError, Patience
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.sources.met import LICENCE, Museum, fetch_met

HINT = "give a folder"
FREE = {
    "isPublicDomain": True,
    "title": "A Lady",
    "artistDisplayName": "Vermeer",
    "objectDate": "1665",
}


@pytest.fixture
def pauses() -> list[float]:
    """The seconds that were waited for."""
    return []


@pytest.fixture
def museum(hostile_server: HostileServer, pauses: list[float]) -> Museum:
    """A museum with five works: 7 and 3 free to use, 4 not, 5 without picture, 6 withdrawn."""

    def work(number: int, **facts: object) -> None:
        hostile_server.serve(f"/v1/objects/{number}", json.dumps(facts).encode())

    picture = f"{hostile_server.url}/images/lady.jpg"
    hostile_server.serve("/images/lady.jpg", b"JPEG small")
    hostile_server.serve("/images/large.PNG", b"PNG large")
    hostile_server.serve("/v1/search", json.dumps({"objectIDs": [7, 4, 5, 6, 3]}).encode())
    work(7, **FREE, primaryImageSmall=picture, primaryImage="http://unused")
    work(4, **FREE | {"isPublicDomain": False}, primaryImageSmall=picture)
    work(5, **FREE, primaryImageSmall="", primaryImage="")
    work(3, isPublicDomain=True, title="", primaryImage=f"{hostile_server.url}/images/large.PNG")
    patience = Museum().patience
    gentle = Patience(
        3, patience.first_wait_s, patience.longest_wait_s, patience.statuses, pauses.append
    )
    return Museum(f"{hostile_server.url}/v1", 0.5, gentle, pauses.append)


def fetch(folder: Path, museum: Museum, max_pictures: int | None = None) -> pd.DataFrame:
    return fetch_met("portrait of a lady", max_pictures, folder, HINT, museum)


def test_pictures_and_what_is_known_of_them(museum: Museum, tmp_path: Path) -> None:
    """Works free to use with a picture become files and rows; what is not known is NA."""
    table = fetch(tmp_path, museum)
    assert list(table["name"]) == ["3.png", "7.jpg"]
    assert [Path(path).read_bytes() for path in table["path"]] == [b"PNG large", b"JPEG small"]
    assert list(table["licence"]) == [LICENCE, LICENCE]
    facts = table[["title", "artist", "date"]]
    assert facts.isna().all(axis=1).tolist() == [True, False]
    assert list(facts.loc[1]) == ["A Lady", "Vermeer", "1665"]


def test_filters_stand_before_the_query(
    museum: Museum, hostile_server: HostileServer, tmp_path: Path
) -> None:
    """The museum ignores filters behind `q`, so `q` comes last, quoted."""
    fetch(tmp_path, museum)
    asked = parse_qsl(urlsplit(hostile_server.requests[0].path).query)
    assert asked == [("hasImages", "true"), ("medium", "Paintings"), ("q", "portrait of a lady")]


def test_a_second_call_asks_nothing(
    museum: Museum, hostile_server: HostileServer, tmp_path: Path
) -> None:
    """All answers are kept, also that a work was withdrawn."""
    first = fetch(tmp_path, museum)
    num_requests = len(hostile_server.requests)
    pd.testing.assert_frame_equal(fetch(tmp_path, museum), first)
    assert len(hostile_server.requests) == num_requests == 8


def test_no_more_than_asked(museum: Museum, hostile_server: HostileServer, tmp_path: Path) -> None:
    """With `max_pictures` the most relevant come, and nothing behind them is asked for."""
    assert list(fetch(tmp_path, museum, 1)["name"]) == ["7.jpg"]
    assert len(hostile_server.requests) == 3


def test_a_pause_before_each_request(
    museum: Museum, hostile_server: HostileServer, pauses: list[float], tmp_path: Path
) -> None:
    """Every request is preceded by the museum's pause."""
    fetch(tmp_path, museum)
    assert pauses == [0.5] * len(hostile_server.requests)


def test_too_fast_is_waited_out(
    museum: Museum, hostile_server: HostileServer, pauses: list[float], tmp_path: Path
) -> None:
    """403, 429 and 500 are waited out, 30 s and more, and Retry-After is obeyed."""
    answers = [Answer(status=403), Answer(status=429, headers={"Retry-After": "45"})]
    hostile_server.serve("/v1/search", *answers, b'{"objectIDs": [7]}')
    assert len(fetch(tmp_path, museum)) == 1
    assert pauses == [0.5, 30, 45, 0.5, 0.5]


def test_stopped_and_continued(
    museum: Museum, hostile_server: HostileServer, tmp_path: Path
) -> None:
    """A museum that stays silent ends the call in a sentence; the next goes on where it stopped."""
    hostile_server.serve("/images/large.PNG", Answer(status=500))
    with pytest.raises(DownloadError, match=f"run it again later.*{HINT}"):
        fetch(tmp_path, museum)
    hostile_server.serve("/images/large.PNG", b"PNG large")
    num_requests = len(hostile_server.requests)
    assert len(fetch(tmp_path, museum)) == 2
    assert len(hostile_server.requests) == num_requests + 1


def test_nothing_found_and_nonsense(
    museum: Museum, hostile_server: HostileServer, tmp_path: Path
) -> None:
    """No work, or no JSON, is one sentence; nonsense is not kept."""
    hostile_server.serve("/v1/search", b"no json", b'{"total": 0, "objectIDs": null}')
    with pytest.raises(PortraitPipelineError, match=f"no JSON.*{HINT}"):
        fetch(tmp_path, museum)
    with pytest.raises(
        PortraitPipelineError, match=f"'portrait of a lady'.*no such painting.*{HINT}"
    ):
        fetch(tmp_path, museum)


def test_counts_are_told(museum: Museum, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """How many works became pictures is said once."""
    with caplog.at_level(logging.INFO):
        fetch(tmp_path, museum)
    assert "2 public-domain pictures among 5 works found" in caplog.text


@pytest.mark.parametrize("answer", [b"[]", b"7", b"null", b'"x"', b"[" * 100_000, b"{", b"\xff"])
def test_an_answer_of_another_form(
    answer: bytes, museum: Museum, hostile_server: HostileServer, tmp_path: Path
) -> None:
    """Whatever comes in place of an object is named, and asked for again the next time."""
    hostile_server.serve("/v1/search", answer, json.dumps({"objectIDs": [7]}).encode())
    with pytest.raises(PortraitPipelineError, match=f"is no JSON object.*{HINT}"):
        fetch(tmp_path, museum)
    assert list(fetch(tmp_path, museum)["name"]) == ["7.jpg"]


@pytest.mark.parametrize("ending", [".jpg%00", ".a-b", ".verylongending", "", "."])
def test_odd_endings(
    ending: str, museum: Museum, hostile_server: HostileServer, tmp_path: Path
) -> None:
    """What is kept has an ending of a few letters, whatever the museum's address ends in."""
    address = hostile_server.serve(f"/images/odd{ending}", b"odd")
    hostile_server.serve("/v1/objects/7", json.dumps({**FREE, "primaryImage": address}).encode())
    assert "7.jpg" in list(fetch(tmp_path, museum)["name"])
