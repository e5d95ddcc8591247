"""What was found in the pictures of one shard: a file that one worker only ever adds to."""

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from portrait_pipeline.datasets.detection_store import readable_records
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.record import DetectionStore, PictureRecord


class DetectionJournal:
    """A `DetectionStore` in a text file, a line for each record, safe from several threads.

    A file that several hosts see needs no locks for it, as SQLite would. A line that was torn when
    its writer was lost is not known, and the picture is measured again.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._records: dict[str, PictureRecord] | None = None

    def get(self, keys: Sequence[str]) -> dict[str, PictureRecord]:
        """Return the records that are there, by key."""
        with self._lock:
            known = self._known()
            return {key: known[key] for key in keys if key in known}

    def put(self, records: Mapping[str, PictureRecord]) -> None:
        """Add records; they are on the disk when this returns.

        Raises:
            PortraitPipelineError: if the disk refuses.
        """
        text = "".join(f"{key} {record.to_json()}\n" for key, record in records.items())
        with self._lock:
            self._known().update(records)
            try:
                self._append(text.encode())
            except OSError as error:
                raise PortraitPipelineError(
                    f"{self._file} cannot be written ({error.strerror}): free space on that disk,"
                    " or make its folder writable, and run the command again"
                ) from error

    def _append(self, text: bytes) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("ab") as file:
            if file.tell() and not self._ends_whole():
                file.write(b"\n")
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    def _ends_whole(self) -> bool:
        with self._file.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() == b"\n"

    def _known(self) -> dict[str, PictureRecord]:
        """Read the file at the first use: one worker at a time has a shard."""
        if self._records is None:
            self._records = {}
            if self._file.is_file():
                text = self._file.read_text(encoding="utf-8", errors="replace")
                rows = (line.partition(" ")[::2] for line in text.splitlines())
                self._records = dict(readable_records(rows))
        return self._records


class DetectionJournalDataset(AbstractDataset[None, DetectionStore]):
    """Hands a node the journal of its shard; what it puts into it is there at once.

    Args:
        filepath: The file; it is made when something is put into it.
        metadata: Read by Kedro's plugins.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> DetectionStore:
        """Open the journal."""
        return DetectionJournal(self._filepath)

    def save(self, data: None) -> None:
        """Refuse: a journal is an input, and nodes write through it."""
        raise TypeError("a detection journal is an input only")

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
