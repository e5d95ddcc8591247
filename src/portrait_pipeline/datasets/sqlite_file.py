"""Transactions on a SQLite file, whose content can be computed again."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from portrait_pipeline.errors import PortraitPipelineError

SECONDS_TO_WAIT = 60.0
_IN_USE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_NOT_WRITABLE = (
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_IOERR,
)


@contextmanager
def transaction(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a connection whose changes are all there when the block ends, or none of them.

    Raises:
        PortraitPipelineError: if the file is damaged, in use, or cannot be written, or the disk is
            full.
    """
    try:
        connection = sqlite3.connect(file, timeout=SECONDS_TO_WAIT)
        with closing(connection), connection:
            yield connection
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise  # a fault of ours, not of the file
    except sqlite3.DatabaseError as error:
        raise PortraitPipelineError(_sentence(file, error)) from error


def _sentence(file: Path, error: sqlite3.Error) -> str:
    # the lowest byte names the kind of error, the others its cause
    kind = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    if kind in _IN_USE:
        return f"{file} has been in use by another process for {SECONDS_TO_WAIT:.0f} s: end it"
    if kind == sqlite3.SQLITE_FULL:
        return f"{file} cannot grow ({error}): free space on that disk and run the command again"
    if kind in _NOT_WRITABLE:
        return (
            f"{file} cannot be written ({error}), expected a file in a folder that can be written"
        )
    return f"{file} is damaged ({error}): delete it, and the next run works out anew what it held"
