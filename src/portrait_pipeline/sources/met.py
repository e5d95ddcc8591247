"""Paintings of people from the open collection of The Metropolitan Museum of Art, New York.

https://metmuseum.github.io describes the API. It does not say that filters count only before `q`
(metmuseum/openaccess issues 36 and 51), that objects found "with images" may have none (57), and
that after some 30 quick requests it answers 403 for half a minute or more (60).
"""

import hashlib
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pandas as pd

from portrait_pipeline.downloads import DownloadError, Patience, download_file
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.files import parse_json, write_whole
from portrait_pipeline.progress import progress_bar
from portrait_pipeline.sources.files import picture_table

LICENCE = "CC0 1.0"
MAX_FILE_BYTES = 256 * 2**20
MAX_FILE_SECONDS = 2 * 3600.0
_ENDING = re.compile(r"\.[a-z0-9]{1,5}")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Museum:
    """The address of the museum's API, and how slowly to ask it.

    Attributes:
        address: Base address of the API.
        pause_s: Pause before each request.
        patience: How often and how long to retry; 403 is the museum's "too fast".
        sleep: Sleeps; tests pass a function that records the seconds.
    """

    address: str = "https://collectionapi.metmuseum.org/public/collection/v1"
    pause_s: float = 0.5
    patience: Patience = field(
        default_factory=lambda: Patience(
            first_wait_s=30.0,
            longest_wait_s=600.0,
            statuses=Patience().statuses | {HTTPStatus.FORBIDDEN},
            max_bytes=MAX_FILE_BYTES,
            max_seconds=MAX_FILE_SECONDS,
        )
    )
    sleep: Callable[[float], None] = time.sleep


def fetch_met(
    query: str, max_pictures: int | None, folder: Path, hint: str, museum: Museum | None = None
) -> pd.DataFrame:
    """Download the museum's public-domain paintings that match a query to `folder`.

    Answers and pictures are kept there, so that a later call asks only for what is missing.

    Args:
        query: What to search for, such as "portrait".
        max_pictures: Stop after this number, in the museum's order of relevance; all when None.
        folder: Where answers and pictures are kept.
        hint: What the person can do when it fails; ends the error's sentence.
        museum: The API.

    Raises:
        PortraitPipelineError: if nothing matches, or the museum refuses or cannot be reached.
    """
    visit = _Visit(museum or Museum(), folder, hint)
    object_ids = visit.search(query)
    rows: list[dict[str, str | None]] = []
    total = min(max_pictures or len(object_ids), len(object_ids))
    with progress_bar("Fetching paintings from The Met", total) as bar:
        for row in visit.pictures(object_ids):
            rows.append(row)
            bar.advance()
            if len(rows) == max_pictures:
                break
    if not rows:
        raise PortraitPipelineError(
            f"met_query is {query!r}, but the museum has no such painting free to use; {hint}"
        )
    logger.info("%d public-domain pictures among %d works found", len(rows), len(object_ids))
    return picture_table(rows)


class _Visit:
    """Requests to the museum, each made once."""

    def __init__(self, museum: Museum, folder: Path, hint: str) -> None:
        self._museum = museum
        self._folder = folder
        self._hint = f"run it again later to continue, or {hint}"

    def search(self, query: str) -> list[int]:
        """Return the object ids of the matching paintings."""
        mark = hashlib.sha256(query.encode()).hexdigest()[:8]
        # The order counts: filters behind `q` are ignored.
        wanted = f"search?hasImages=true&medium=Paintings&q={quote(query)}"
        found = self._ask(wanted, f"search_{mark}.json").get("objectIDs") or []
        return [number for number in found if isinstance(number, int)]

    def pictures(self, object_ids: list[int]) -> Iterator[dict[str, str | None]]:
        """Fetch one picture after the other; skip works without a picture or not free to use."""
        for number in object_ids:
            work = self._ask(f"objects/{number}", f"objects/{number}.json")
            address = work.get("primaryImageSmall") or work.get("primaryImage")
            if not (work.get("isPublicDomain") and address):
                continue
            ending = Path(urlsplit(str(address)).path).suffix.lower()
            ending = ending if _ENDING.fullmatch(ending) else ".jpg"
            picture = self._folder / "pictures" / f"{number}{ending}"
            if self._fetch(str(address), picture):
                yield {
                    "name": picture.name,
                    "path": os.path.abspath(picture),
                    "title": work.get("title") or None,
                    "artist": work.get("artistDisplayName") or None,
                    "date": work.get("objectDate") or None,
                    "licence": LICENCE,
                }

    def _ask(self, wanted: str, kept_as: str) -> dict[str, Any]:
        """Return an answer; it is empty if the museum has withdrawn the work."""
        path = self._folder / kept_as
        if not self._fetch(f"{self._museum.address}/{wanted}", path):
            write_whole(path, b"{}")
        try:
            answer = parse_json(path.read_bytes())
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            path.unlink()
            raise PortraitPipelineError(
                f"the museum's answer to {wanted} is no JSON object; {self._hint}"
            )
        return answer

    def _fetch(self, address: str, path: Path) -> bool:
        """Fetch a missing file; return False if the museum does not have it."""
        if path.exists():
            return True
        self._museum.sleep(self._museum.pause_s)
        try:
            download_file(address, path, None, self._hint, self._museum.patience)
        except DownloadError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True
