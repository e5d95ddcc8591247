"""Checks the messages of browsers: the only file that one can name is a waiting upload.

Gradio fetches an address, and opens a file, wherever a value has the form of a file, whatever the
component. Every message is therefore checked and written anew before Gradio sees it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE_ADDRESS = "/gradio_api/file="
MAX_DEPTH = 8
_FILE_KEYS = frozenset({"path", "url", "meta", "orig_name", "mime_type", "is_stream"})
_NAMES_A_PLACE = re.compile(r"[/\\:\0]|^\s*[.~%]")
_Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class MessageError(Exception):
    """A message that no page of ours sends; its text ends the sentence "the message …"."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Join(_Message):
    data: list[Any]
    fn_index: int
    session_hash: _Token
    event_data: Any = None
    trigger_id: int | None = None


class _Cancel(_Message):
    session_hash: _Token
    fn_index: int
    event_id: _Token


class _Reset(_Message):
    event_id: _Token


@dataclass(frozen=True)
class MessageRules:
    """The rules for messages from browsers.

    Attributes:
        num_inputs: Of every event of the page, by Gradio's number of it.
        is_upload: Tells whether a path is that of an upload that waits for its answer.
    """

    num_inputs: Mapping[int, int]
    is_upload: Callable[[str], bool]

    def checked(self, path: str, body: bytes, host: str) -> bytes:
        """Return the message, reduced to what was checked.

        Args:
            path: Where it was sent.
            body: The message as it came.
            host: The page's own name, as in the `Host` header.

        Raises:
            MessageError: if the page would not have sent it.
        """
        kind = _KINDS.get(path)
        if kind is None:
            raise MessageError("is not expected here")
        try:
            message = kind.model_validate_json(body)
        except (ValidationError, RecursionError) as error:
            raise MessageError("does not have the expected form") from error
        if not isinstance(message, _Reset) and message.fn_index not in self.num_inputs:
            raise MessageError("names an event that the page does not have")
        if isinstance(message, _Join):
            message = self._checked_join(message, host)
        return message.model_dump_json().encode()

    def _checked_join(self, message: _Join, host: str) -> _Join:
        if len(message.data) != self.num_inputs[message.fn_index]:
            raise MessageError("has another number of values than the event")
        data = [self._checked_value(value, host) for value in message.data]
        event = message.event_data
        index = event.get("index") if isinstance(event, dict) else None
        # The rest of an event's data repeats what the page shows, addresses among it.
        chosen = {"index": index, "value": None} if type(index) is int else None
        return message.model_copy(update={"data": data, "event_data": chosen})

    def _checked_value(self, value: Any, host: str, depth: int = 0) -> Any:
        if depth > MAX_DEPTH:
            raise MessageError("is nested too deeply")
        match value:
            case str() if _NAMES_A_PLACE.search(value):
                raise MessageError("holds a value that looks like a path or an address")
            case list():
                return [self._checked_value(part, host, depth + 1) for part in value]
            case dict() if _FILE_KEYS & value.keys():
                return self._checked_file(value, host)
            case dict():
                return {
                    name: self._checked_value(part, host, depth + 1) for name, part in value.items()
                }
            case _:
                return value

    def _checked_file(self, value: dict[str, Any], host: str) -> dict[str, Any]:
        """Write the reference to an upload anew from the one thing in it that is checked."""
        path, url = value.get("path"), value.get("url")
        if not isinstance(path, str) or not self.is_upload(path):
            raise MessageError("names a file that was not uploaded here")
        own = {f"{root}{FILE_ADDRESS}{path}" for root in ("", f"http://{host}", f"https://{host}")}
        if url is not None and url not in own:
            raise MessageError("names an address that is not the upload's own")
        return {"path": path, "meta": {"_type": "gradio.FileData"}}


_KINDS: Mapping[str, type[_Join] | type[_Cancel] | type[_Reset]] = {
    "/gradio_api/queue/join": _Join,
    "/gradio_api/cancel": _Cancel,
    "/gradio_api/reset": _Reset,
}


def num_inputs_of_events(config: Mapping[str, Any]) -> dict[int, int]:
    """Read from a page's public configuration how many values each of its events takes."""
    return {event["id"]: len(event["inputs"]) for event in config["dependencies"]}
