"""Downloads: resumed after an interruption, checked by hash, complete or absent.

Partial content is kept in a hidden `.part` file beside the target, with its validator (ETag
or date), so that a later call asks only for the rest. The target is complete or does not exist.
"""

import hashlib
import re
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests
import urllib3
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema, TooManyRedirects

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.files import put_in_place, write_whole
from portrait_pipeline.masking import mask_secrets
from portrait_pipeline.progress import progress_bar

CHUNK_BYTES = 2**20
NUM_CHUNKS_WORTH_A_BAR = 8
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0
MAX_BYTES = 40 * 2**30
MAX_SECONDS = 12 * 3600.0
HINT = "check the address and the network and run the same command again"

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
# A redirect to `file:`, `ftp:` and the like, or in circles.
_LED_ASTRAY = (InvalidSchema, MissingSchema, InvalidURL, TooManyRedirects)


class DownloadError(PortraitPipelineError):
    """A file that could not be downloaded; `status` is the server's answer where there was one."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Patience:
    """How often and how long a server is waited for, and how much is taken from it.

    Attributes:
        num_attempts: Attempts in a row that bring no new byte, or restarts, before giving up.
        first_wait_s: Pause after the first failure, then doubled; `Retry-After` replaces it.
        longest_wait_s: No pause is longer; a server that asks for more is given up.
        statuses: Answers that may pass with time.
        max_bytes: A larger file is refused.
        max_seconds: For one file with all attempts and pauses; a later call continues.
        sleep: What waits; tests pass a function that only writes down the seconds.
        clock: Tells the seconds that have passed since some moment.
    """

    num_attempts: int = 5
    first_wait_s: float = 1.0
    longest_wait_s: float = 120.0
    statuses: frozenset[int] = frozenset({429, 500, 502, 503, 504})
    sleep: Callable[[float], None] = time.sleep
    max_bytes: int = MAX_BYTES
    max_seconds: float = MAX_SECONDS
    clock: Callable[[], float] = time.monotonic


class _TryAgainError(Exception):
    """An attempt failed in a way that may pass; `wait_s` is what the server asked for."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


def download_file(
    url: str,
    target: Path,
    sha256: str | None = None,
    hint: str = HINT,
    patience: Patience | None = None,
) -> Path:
    """Bring a file to `target`, unless it lies there already.

    A transfer that was cut off, in this call or an earlier one, goes on where it stopped. With
    `sha256` a file already there is checked too, and fetched again when it differs.

    Args:
        url: http or https address; a password or query in it never reaches a message.
        target: Where the file is to lie; its folder is made.
        sha256: Expected hash, 64 hexadecimal digits.
        hint: What the person can do when it fails; ends the error's sentence.
        patience: How failures are waited out.

    Returns:
        `target`.

    Raises:
        DownloadError: if the address is none, the server refuses, leads elsewhere or sends a web
            page instead, the network fails in every attempt, the file is too large, takes too long
            or has another hash.
    """
    if target.is_file() and (sha256 is None or pooch.file_hash(str(target)) == sha256):
        return target
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise DownloadError(f"{mask_secrets(url)!r} is no address, expected http(s)://…; {hint}")
    transfer = _Transfer(url, target, hint, patience or Patience())
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        transfer.persist()
    except OSError as error:
        raise transfer.failure(f"could not be written ({error.strerror})") from error
    actual = pooch.file_hash(str(transfer.part))
    if sha256 is not None and actual != sha256:
        transfer.forget()
        raise DownloadError(
            f"{mask_secrets(url)} has the SHA-256 {actual}, expected {sha256}, and was not kept;"
            f" {hint}"
        )
    put_in_place(transfer.part, target)
    transfer.forget()
    return target


class _Transfer:
    """One address on its way to a `.part` file, in as many attempts as it takes."""

    def __init__(self, url: str, target: Path, hint: str, patience: Patience) -> None:
        # The address is part of the name: what came from one must not be continued from another.
        mark = hashlib.sha256(url.encode()).hexdigest()[:8]
        self.url = url
        self.name = target.name
        self.hint = hint
        self.patience = patience
        self.ends_at = patience.clock() + patience.max_seconds
        self.part = target.with_name(f".{target.name}.{mark}.part")
        self.validator = self.part.with_suffix(".validator")

    def persist(self) -> None:
        """Attempt the transfer until it is complete or patience ends."""
        patience = self.patience
        num_failures = num_restarts = 0
        while True:
            num_bytes = self.num_bytes()
            try:
                return self.attempt()
            except _TryAgainError as trouble:
                num_failures = 1 if self.num_bytes() > num_bytes else num_failures + 1
                num_restarts += self.num_bytes() < num_bytes  # the same bytes again and again
                wait_s = trouble.wait_s
                if wait_s is None:
                    doubled_s = patience.first_wait_s * 2 ** (num_failures - 1)
                    wait_s = min(doubled_s, patience.longest_wait_s)
                too_long = wait_s > min(patience.longest_wait_s, self.ends_at - patience.clock())
                if max(num_failures, num_restarts) >= patience.num_attempts or too_long:
                    raise self.failure(f"was given up after {trouble}") from trouble
            patience.sleep(wait_s)

    def num_bytes(self) -> int:
        """Count what has arrived."""
        return self.part.stat().st_size if self.part.exists() else 0

    def forget(self) -> None:
        """Remove what has arrived."""
        self.part.unlink(missing_ok=True)
        self.validator.unlink(missing_ok=True)

    def failure(self, what: str, status: int | None = None) -> DownloadError:
        """Make the sentence about this transfer."""
        return DownloadError(
            f"{mask_secrets(self.url)} {what}, expected the file {self.name}; {self.hint}", status
        )

    def attempt(self) -> None:
        """Ask for what is missing and append it.

        Raises:
            _TryAgainError: if it may work later.
            DownloadError: if it will not.
        """
        headers = {"Accept-Encoding": "identity"} | self._range_wanted()
        timeout_s = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
        # Without their causes, which name the whole address, secrets and all.
        try:
            with requests.get(self.url, headers=headers, stream=True, timeout=timeout_s) as answer:
                self._check_answer(answer)
                self._keep(answer)
        except _LED_ASTRAY as error:
            raise self.failure(f"leads to no file ({type(error).__name__})") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _TryAgainError(f"a broken connection ({type(error).__name__})") from None

    def _range_wanted(self) -> dict[str, str]:
        """Ask for the rest, if the server still has the same file (RFC 9110, section 13.1.5)."""
        validator = self.validator.read_bytes() if self.validator.exists() else b""
        if not self.num_bytes() or not re.fullmatch(rb"[ -~]+", validator):
            self.forget()
            return {}
        return {"Range": f"bytes={self.num_bytes()}-", "If-Range": validator.decode("ascii")}

    def _check_answer(self, answer: requests.Response) -> None:
        """Pass over answers that bring the file, raise on all others."""
        status = answer.status_code
        named = f"{status} {answer.reason}".strip()
        if status in self.patience.statuses:
            raise _TryAgainError(f"the answer {named}", _retry_after_s(answer))
        if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            self.forget()
            raise _TryAgainError(f"the answer {named}")
        if status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
            raise self.failure(f"answered {named}", status)
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            raise self.failure("sent a web page (HTML)", status)
        encoding = answer.headers.get("Content-Encoding", "identity")
        if encoding != "identity":
            raise self.failure(f"sent the file in another encoding ({encoding!r})", status)
        if self.url.startswith("https:") and not answer.url.startswith("https:"):
            raise self.failure("leads from https to an address without it", status)

    def _keep(self, answer: requests.Response) -> None:
        """Append the body to what is there, or start anew when the server sends all of it."""
        stop, total = self._announced(answer)
        if (total or 0) > self.patience.max_bytes:
            raise self._too_large()
        self._append(answer)
        if stop not in {None, self.num_bytes()}:
            self.forget()
            raise _TryAgainError("another number of bytes than announced")
        if total not in {None, self.num_bytes()}:
            raise _TryAgainError("a part of the file")

    def _announced(self, answer: requests.Response) -> tuple[int | None, int | None]:
        """Read which byte ends the answer and how many the file has; None where it does not say.

        What is there is forgotten unless the answer continues it.
        """
        if answer.status_code == HTTPStatus.OK:
            self.forget()
            self._remember_validator(answer)
            length = re.fullmatch(r"\d{1,18}", answer.headers.get("Content-Length", ""))
            num_bytes = int(length[0]) if length else None
            return num_bytes, num_bytes
        found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        start, last, total = (int(number) for number in found.groups()) if found else (-1, 0, 0)
        if not (start == self.num_bytes() and start <= last < total):
            self.forget()
            raise _TryAgainError("another range than the one asked for")
        if start == 0:
            self._remember_validator(answer)
        return last + 1, total

    def _append(self, answer: requests.Response) -> None:
        num_bytes = self.num_bytes()
        num_chunks = -(-(answer.raw.length_remaining or 0) // CHUNK_BYTES)
        is_large = num_chunks >= NUM_CHUNKS_WORTH_A_BAR
        text = f"Downloading {self.name} (MiB)"
        bars = progress_bar(text, num_chunks) if is_large else nullcontext()
        with self.part.open("ab") as file, bars as bar:
            while piece := answer.raw.read1(CHUNK_BYTES, decode_content=False):
                before, num_bytes = num_bytes, num_bytes + len(piece)
                if num_bytes > self.patience.max_bytes:
                    raise self._too_large()
                file.write(piece)
                if bar is not None:
                    bar.advance(num_bytes // CHUNK_BYTES - before // CHUNK_BYTES)
                if self.patience.clock() > self.ends_at:
                    raise self.failure(f"took longer than {self.patience.max_seconds:.0f} seconds")

    def _too_large(self) -> DownloadError:
        self.forget()
        return self.failure(f"is larger than {self.patience.max_bytes} bytes")

    def _remember_validator(self, answer: requests.Response) -> None:
        """Keep the strong ETag, else the date; without either the rest cannot be asked for."""
        etag = answer.headers.get("ETag", "")
        validator = etag if etag.startswith('"') else answer.headers.get("Last-Modified")
        if validator:
            write_whole(self.validator, validator.encode("latin-1", "replace"))


def _retry_after_s(answer: requests.Response) -> float | None:
    """Read `Retry-After`: seconds, or a date compared with the server's own clock."""
    value = answer.headers.get("Retry-After", "")
    if value.isdecimal():
        return float(value)
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(answer.headers["Date"])
    except (ValueError, KeyError, TypeError):
        return None
    return max(wait.total_seconds(), 0.0)
