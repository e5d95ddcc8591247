"""Names and files of what is written: safe whatever a photo is called, whole or not there."""

import errno
import os
import re
import unicodedata
from pathlib import Path
from uuid import uuid4

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from portrait_pipeline.errors import PortraitPipelineError

MAX_STEM_BYTES = 120
_UNSAFE = re.compile(r"[^\w.\-]+")
_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def safe_stem(name: str) -> str:
    """Turn any file name into one that is safe on every system, without its ending.

    Keeps letters and digits of all scripts, `.`, `-` and `_`; everything else becomes `_`. Never
    empty, hidden, reserved, a path, or longer than `MAX_STEM_BYTES` in UTF-8.
    """
    plain = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8"))
    base = re.split(r"[/\\]", plain)[-1]
    stem = base[: base.rfind(".")] if base.rfind(".") > 0 else base
    stem = _UNSAFE.sub("_", stem).strip("._- ")
    stem = stem.encode("utf-8")[:MAX_STEM_BYTES].decode("utf-8", "ignore").rstrip("._- ")
    return f"{stem or 'picture'}_" if _RESERVED.fullmatch(stem) else stem or "picture"


def distinct_stems(names: list[str]) -> list[str]:
    """Give every name a safe stem of its own, also where systems do not tell upper from lower."""
    taken: set[str] = set()
    stems = []
    for name in names:
        stem = candidate = safe_stem(name)
        number = 1
        while candidate.casefold() in taken:
            number += 1
            candidate = f"{stem}_{number}"
        taken.add(candidate.casefold())
        stems.append(candidate)
    return stems


class PictureWriter:
    """Writes PNG files straight into one folder, each whole or not at all.

    Nothing is followed out of the folder: a link that lies where a file goes is replaced, never
    written through. What is written holds pixels only, no EXIF.

    Args:
        folder: Made when it is not there.
        overwrite: Replace files that are there.

    Raises:
        PortraitPipelineError: if the folder cannot be made or is a file.
    """

    def __init__(self, folder: Path, overwrite: bool = False) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PortraitPipelineError(
                f"--out {folder} cannot be made ({error.strerror}), expected a folder that can be"
                " written"
            ) from error
        self.folder = folder.resolve()
        self._overwrite = overwrite

    def would_overwrite(self, stems: list[str], kind: str) -> list[str]:
        """Return the names of files of this kind that are there already for one of the stems."""
        if self._overwrite:
            return []
        names = "|".join(re.escape(stem) for stem in stems) or "$^"
        wanted = re.compile(rf"({names})_{kind}(_\d+)?\.png")
        return sorted(entry.name for entry in self.folder.iterdir() if wanted.fullmatch(entry.name))

    def write(self, file_name: str, pixels: UInt8[np.ndarray, "height width 3"]) -> Path:
        """Write one PNG and return its path.

        Raises:
            PortraitPipelineError: if the name is no plain file name, the file is there and must
                not be overwritten, or the disk refuses.
        """
        if Path(file_name).name != file_name or safe_stem(file_name) != Path(file_name).stem:
            raise PortraitPipelineError(f"{file_name!r} is no safe file name")
        target = self.folder / file_name
        part = self.folder / f".{uuid4().hex}.part"
        try:
            with part.open("xb") as file:
                Image.fromarray(pixels).save(file, format="PNG")
            self._put(part, target)
        except OSError as error:
            raise PortraitPipelineError(
                f"could not write {target} ({error.strerror or error}): free space on that disk or"
                " choose another --out"
            ) from error
        finally:
            part.unlink(missing_ok=True)
        return target

    def _put(self, part: Path, target: Path) -> None:
        if self._overwrite:
            part.replace(target)
            return
        try:
            os.link(part, target)  # unlike a rename, fails where something is there already
        except OSError as error:
            if error.errno in _NO_HARD_LINKS and not os.path.lexists(target):
                part.replace(target)
                return
            if error.errno != errno.EEXIST and error.errno not in _NO_HARD_LINKS:
                raise
            raise PortraitPipelineError(
                f"{target} is there already; choose another --out, or replace it with --force"
            ) from error
