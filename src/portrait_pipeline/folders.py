"""Files below a folder, listed completely and safely."""

import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.file_names import name_as_text
from portrait_pipeline.pictures import ListingFault

ListedFile = tuple[str, Path | ListingFault]
"""What the user calls a file, and its path, or why it is not opened."""


class FoundFile(NamedTuple):
    """One file below a folder.

    Attributes:
        name: Its path in the folder, as valid Unicode.
        path: Where it is.
        fault: Why it is not opened; None for a file that may be.
    """

    name: str
    path: Path
    fault: ListingFault | None

    @property
    def listed(self) -> ListedFile:
        """Its name, and its path or its fault."""
        return self.name, self.fault or self.path


def find_files(folder: Path, hint: str) -> list[FoundFile]:
    """List all files below a folder that are not hidden, with any suffix, sorted by name.

    A link to a file inside `folder` counts as that file. A link to a folder inside is passed over,
    since the files there are listed in their own place. A link that leads out of `folder` or
    nowhere, and what is no regular file, has a `fault` and is never opened. Whether a file is a
    readable picture is for the audit to say.

    Args:
        folder: The folder to list.
        hint: What the person can do when it fails; ends the error's sentence.

    Raises:
        PortraitPipelineError: if the folder is missing, unreadable or a file, or holds no file, or
            two names are the same in Unicode.
    """
    check_folder(folder, hint)
    root = os.path.realpath(folder)
    with _unreadable_told(hint):
        found = [
            FoundFile(name_as_text(path.relative_to(folder).as_posix()), path, _fault(path, root))
            for path in _visible_files(folder, root)
        ]
    _refuse_equal_names([file.name for file in found], folder, hint)
    return sorted(found)


def check_folder(folder: Path, hint: str) -> None:
    """Refuse a folder in which there is nothing to list; stops at the first file.

    Raises:
        PortraitPipelineError: if the folder is missing, unreadable or a file, or holds no file.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "is not there"
        raise PortraitPipelineError(f"the folder {folder} {what}, expected pictures in it; {hint}")
    with _unreadable_told(hint):
        first = next(_visible_files(folder, os.path.realpath(folder)), None)
    if first is None:
        raise PortraitPipelineError(f"the folder {folder} holds no file; {hint}")


@contextmanager
def _unreadable_told(hint: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PortraitPipelineError(
            f"{error.filename} cannot be read ({error.strerror}), expected a folder; {hint}"
        ) from error


def _visible_files(folder: Path, root: str) -> Iterator[Path]:
    """Walk through the folders; links to folders whose files are not met on the way are yielded."""

    def stop(error: OSError) -> None:
        raise error

    for parent, folders, names in os.walk(folder, onerror=stop):
        visible = [Path(parent, name) for name in folders if not name.startswith(".")]
        links = [path for path in visible if path.is_symlink()]
        folders[:] = [path.name for path in visible if path not in links]
        yield from (path for path in links if not _is_visible_inside(path, root))
        yield from (Path(parent, name) for name in names if not name.startswith("."))


def _is_visible_inside(path: Path, root: str) -> bool:
    """Tell whether a path leads to `root` or below it without passing a hidden folder."""
    target = Path(os.path.realpath(path))
    if not target.is_relative_to(root):
        return False
    return not any(part.startswith(".") for part in target.relative_to(root).parts)


def _fault(path: Path, root: str) -> ListingFault | None:
    """Say why a file is not opened; unlike `Path.resolve`, a loop of links is no error here."""
    if not os.path.exists(path):
        return "broken link"
    if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
        return "link out of the folder"
    return None if stat.S_ISREG(path.stat().st_mode) else "not a file"


def _refuse_equal_names(names: Iterable[str], folder: Path, hint: str) -> None:
    """Refuse two files of which a table shows the same name: bytes, and their escapes."""
    equal = [name for name, count in Counter(names).items() if count > 1]
    if equal:
        raise PortraitPipelineError(
            f"two files in {folder} are both shown as {equal[0]!r}, expected names that differ"
            f" in Unicode: rename one; {hint}"
        )
