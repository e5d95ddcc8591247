import json
from typing import Any

import pytest

from portrait_pipeline.demo.messages import MessageError, MessageRules

HOST = "localhost:7860"
UPLOAD = "/private/visitors/0a/0b.photo"
META = {"meta": {"_type": "gradio.FileData"}}
JOIN = "/gradio_api/queue/join"
RULES = MessageRules({0: 1, 3: 2}, lambda path: path == UPLOAD)


def joined(*values: Any, **others: Any) -> dict[str, Any]:
    """Send a message to the queue and return what Gradio would see of it."""
    message = {"data": list(values), "fn_index": 0, "session_hash": "abc"} | others
    seen: dict[str, Any] = json.loads(RULES.checked(JOIN, json.dumps(message).encode(), HOST))
    return seen


FORGED = [
    {"path": "/etc/passwd", **META},
    {"path": "../secret.photo", **META},
    {"path": f"{UPLOAD}/../other", **META},
    {"path": UPLOAD + "\0", **META},
    {"path": "http://192.0.2.1/a.png", **META},
    {"path": "file:///etc/passwd", **META},
    {"path": None, **META},
    {"path": [UPLOAD], **META},
    META,
    {"url": "http://192.0.2.1/a.png"},
    {"url": "data:image/png;base64,AAAA", **META},
    {"path": UPLOAD, "url": "http://192.0.2.1/a.png", **META},
    {"path": UPLOAD, "url": f"http://192.0.2.1/gradio_api/file={UPLOAD}", **META},
    {"path": UPLOAD, "url": f"http://{HOST}@192.0.2.1/gradio_api/file={UPLOAD}", **META},
    {"path": UPLOAD, "url": "//192.0.2.1/a.png", **META},
    "http://192.0.2.1/a.png",
    "HTTP://192.0.2.1/a.png",
    "//192.0.2.1/a.png",
    "\\\\192.0.2.1\\share",
    "data:image/png;base64,AAAA",
    "file:///etc/passwd",
    "/etc/passwd",
    "C:\\secret.png",
    "../secret.png",
    "~root",
    " ~root",
    "..",
    ".ssh",
    "%2e%2e",
    "a\0b",
]
"""Values that name something which is no upload."""


def wrapped(value: Any) -> list[Any]:
    """Put a value into everything that components' values are made of."""
    return [
        value,
        [value],
        [[value, None]],
        {"image": value, "caption": None},
        {"files": [{"deeper": [value]}], "text": "hello"},
    ]


@pytest.mark.parametrize("value", FORGED, ids=lambda value: str(value)[:60])
def test_no_value_names_a_file_or_an_address(value: Any) -> None:
    """Bare or inside of lists and objects, what names no upload of ours is refused."""
    for place in wrapped(value):
        with pytest.raises(MessageError):
            joined(place)


@pytest.mark.parametrize("value", [None, True, 3, 0.5, "proposed", "run 12", "", [], {}, [1, None]])
def test_plain_values_pass(value: Any) -> None:
    """What names nothing reaches the page as it was sent."""
    assert joined(value)["data"] == [value]


@pytest.mark.parametrize(
    "url", [None, f"/gradio_api/file={UPLOAD}", f"http://{HOST}/gradio_api/file={UPLOAD}"]
)
def test_an_upload_passes_and_brings_nothing_along(url: str | None) -> None:
    """Of the reference to an upload its path is passed on, and nothing else."""
    sent = {"path": UPLOAD, "url": url, "orig_name": "../x.svg", "size": 9, "is_stream": True}
    for place, seen in zip(wrapped(sent | META), wrapped({"path": UPLOAD, **META}), strict=True):
        assert joined(place)["data"] == [seen]


@pytest.mark.parametrize(
    ("event_data", "seen"),
    [
        (None, None),
        ({"index": 2, "value": {"path": "/etc/passwd"}}, {"index": 2, "value": None}),
        ({"index": "/etc/passwd"}, None),
        ({"index": True}, None),
        ("http://192.0.2.1", None),
        ([], None),
    ],
)
def test_of_an_events_data_only_a_number_passes(event_data: Any, seen: Any) -> None:
    """A click tells its place; whatever else a client says about it is dropped."""
    assert joined("x", event_data=event_data)["event_data"] == seen


@pytest.mark.parametrize(
    "others",
    [
        {"fn_index": 1},
        {"fn_index": -1},
        {"fn_index": 10**30},
        {"fn_index": True},
        {"fn_index": "0"},
        {"fn_index": None},
        {"fn_index": 0.0},
        {"fn_index": 3},
        {"data": None},
        {"data": {}},
        {"data": []},
        {"data": [1, 2]},
        {"session_hash": None},
        {"session_hash": "../a"},
        {"session_hash": "a" * 65},
        {"batched": True},
        {"simple_format": True},
        {"oauth_token": "x"},
        {"event_id": "x"},
        {"trigger_id": "x"},
    ],
    ids=str,
)
def test_what_the_page_never_sends_is_refused(others: dict[str, Any]) -> None:
    """Events that are not there, another number of values, and everything unknown."""
    with pytest.raises(MessageError):
        joined("x", **others)


@pytest.mark.parametrize(
    "body",
    [b"", b"no JSON", b"[]", b"1", b"null", b"{}", b"\xff", b"[" * 60_000, b'{"data": NaN}'],
    ids=lambda body: str(body[:10]),
)
@pytest.mark.parametrize("path", [JOIN, "/gradio_api/cancel", "/gradio_api/reset"])
def test_what_is_no_message_is_refused(path: str, body: bytes) -> None:
    """Every kind of other body ends in the same sentence."""
    with pytest.raises(MessageError, match="does not have the expected form"):
        RULES.checked(path, body, HOST)


@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/queue/data", "/gradio_api/run/x"])
def test_messages_are_expected_in_few_places(path: str) -> None:
    """A body that is sent anywhere else is refused."""
    with pytest.raises(MessageError, match="not expected here"):
        RULES.checked(path, b"{}", HOST)


def test_very_deep_values_are_refused() -> None:
    """A value that is nested without end does not end the page."""
    value: Any = "x"
    for _ in range(50):
        value = [value]
    with pytest.raises(MessageError, match="nested"):
        joined(value)


def test_a_key_that_is_there_twice_has_one_meaning() -> None:
    """What is checked is what Gradio sees: the message is written anew."""
    upload = json.dumps({"path": UPLOAD, **META})
    body = (
        f'{{"data": ["/etc/passwd"], "data": [{upload}], "fn_index": 0, "session_hash": "a",'
        f' "fn_index": 0}}'
    )
    seen = RULES.checked(JOIN, body.encode(), HOST)
    assert b"passwd" not in seen
    assert json.loads(seen)["data"] == [{"path": UPLOAD, **META}]
