"""Talks to the page as its browser does: upload, join the queue, listen for the answer."""

import json
import secrets
from typing import Any

import httpx

UPLOAD_EVENT = "answer_upload"


class PageClient:
    """One visitor of the page."""

    def __init__(self, address: str, timeout_seconds: float = 60.0) -> None:
        self._http = httpx.Client(base_url=address, timeout=timeout_seconds, verify=False)
        self._session = secrets.token_hex(6)
        self._events: dict[str, int] = {}
        self._is_open = False

    def close(self) -> None:
        self._http.close()

    def ask(self, data: bytes, model: str = "proposed") -> tuple[str, list[Any]]:
        """Upload a photo; return how it went (answered, refused) and the parts of the answer."""
        how, parts = self._open()
        if how != "answered":
            return how, parts
        sent = self._http.post("/gradio_api/upload", files={"files": ("p.png", data, "image/png")})
        if sent.status_code in (413, 503):
            return "refused", [sent.json()["detail"]]
        sent.raise_for_status()
        (path,) = sent.json()
        photo = {"path": path, "meta": {"_type": "gradio.FileData"}}
        return self.join([photo, model])

    def join(self, inputs: list[Any]) -> tuple[str, list[Any]]:
        """Join the queue with these inputs and wait for the answer."""
        self._open()
        return self._call(self._events["upload"], inputs)

    def _open(self) -> tuple[str, list[Any]]:
        """Open the page, which lists the models for this visitor; once is enough."""
        if self._is_open:
            return "answered", []
        for event in self._http.get("/config").json()["dependencies"]:
            if event["api_name"] == UPLOAD_EVENT:
                self._events["upload"] = event["id"]
            elif [name for _, name in event["targets"]] == ["load"]:
                self._events["load"] = event["id"]
        how, parts = self._call(self._events["load"], [])
        self._is_open = how == "answered"
        return how, parts

    def _call(self, event: int, inputs: list[Any]) -> tuple[str, list[Any]]:
        body = {"data": inputs, "fn_index": event, "session_hash": self._session}
        joined = self._http.post("/gradio_api/queue/join", json=body)
        if joined.status_code == 503:
            return "refused", [joined.json()["detail"]]
        if joined.status_code == 422:
            return "failed", [joined.json()["detail"]]
        joined.raise_for_status()
        return self._listen(joined.json()["event_id"])

    def _listen(self, event: str) -> tuple[str, list[Any]]:
        address = f"/gradio_api/queue/data?session_hash={self._session}"
        with self._http.stream("GET", address) as lines:
            for line in lines.iter_lines():
                message = json.loads(line[6:]) if line.startswith("data: ") else {}
                if message.get("msg") == "process_completed" and message["event_id"] == event:
                    output = message["output"]
                    return ("answered" if message["success"] else "failed"), output.get("data", [])
        return "lost", []
