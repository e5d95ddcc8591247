"""Names of files: safe to write, fit to print, and as text that a table keeps."""

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from portrait_pipeline.errors import PortraitPipelineError

MAX_STEM_BYTES = 110
MAX_NAME_BYTES = 255
_RESERVED = re.compile(r"(con|prn|aux|nul|(?:com|lpt)[\d¹²³])(\..*)?", re.IGNORECASE)
_FILE_ADDRESS = "file://"


def safe_stem(name: str) -> str:
    """Turn any file name into one that is safe on every system, without its ending.

    Keeps letters of all scripts with their marks, digits, `.`, `-` and `_`; everything else becomes
    `_`. Never empty, hidden, reserved, a path, or longer than `MAX_STEM_BYTES` in UTF-8.
    """
    plain = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8"))
    base = re.split(r"[/\\]", plain)[-1]
    stem = base[: base.rfind(".")] if base.rfind(".") > 0 else base
    stem = re.sub("\0+", "_", _safe_letters(stem)).strip("._- ")
    stem = stem.encode("utf-8")[:MAX_STEM_BYTES].decode("utf-8", "ignore").rstrip("._- ")
    return _RESERVED.sub(r"\1_\2", stem) if _RESERVED.fullmatch(stem) else stem or "picture"


def _safe_letters(text: str) -> str:
    """Put NUL in place of what is no letter, mark upon a letter, digit, `.`, `-` or `_`.

    Vowels of Hindi or Thai are marks: without them different names would be the same.
    """
    kept = "\0"
    for letter in text:
        is_mark = unicodedata.category(letter).startswith("M") and kept[-1] != "\0"
        kept += letter if letter.isalnum() or letter in "._-" or is_mark else "\0"
    return kept[1:]


def distinct_stems(names: Sequence[str]) -> list[str]:
    """Give every name a safe stem of its own, also where systems do not tell upper from lower."""
    taken: set[str] = set()
    last_number: dict[str, int] = {}
    stems = []
    for name in names:
        stem = candidate = safe_stem(name)
        number = last_number.get(stem.casefold(), 1)
        while candidate.casefold() in taken:
            number += 1
            candidate = f"{stem}_{number}"
        last_number[stem.casefold()] = number
        taken.add(candidate.casefold())
        stems.append(candidate)
    return stems


def is_safe_name(name: str) -> bool:
    """Tell whether a file name is one plain component that every file system takes."""
    unsafe = "\0" in _safe_letters(name) or _RESERVED.fullmatch(name) or name[:1] in ("", ".", "-")
    return not unsafe and len(name.encode("utf-8", "replace")) <= MAX_NAME_BYTES


def printable(text: str) -> str:
    """Return text that a terminal shows and does not obey: control codes are written as escapes."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def printable_lines(text: str) -> str:
    """Return text of several lines as `printable` does, with its line ends."""
    return "\n".join(map(printable, text.split("\n")))


def user_path(text: str) -> Path:
    """Return a path as a person typed it, in which `~` is the home of a user that exists.

    Raises:
        PortraitPipelineError: if it is empty, as a variable of the shell that is not set leaves it.
    """
    if not text:
        raise PortraitPipelineError(
            "a path is empty, expected a file or folder (the current folder is `.`)"
        )
    return Path(os.path.expanduser(text))  # Path.expanduser fails for unknown users


def name_as_text(name: str) -> str:
    r"""Return a file name as valid Unicode: bytes that are none are shown as `\xff`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def path_as_text(path: Path) -> str:
    """Return an absolute path as valid Unicode; one with bytes that are none is a file address."""
    text = os.path.abspath(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return _FILE_ADDRESS + quote_from_bytes(os.fsencode(text))
    return text


def path_of_text(text: str) -> Path:
    """Read back what `path_as_text` wrote."""
    if text.startswith(_FILE_ADDRESS):
        return Path(os.fsdecode(unquote_to_bytes(text.removeprefix(_FILE_ADDRESS))))
    return Path(text)
