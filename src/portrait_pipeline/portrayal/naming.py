"""Files of portraits: safe names for any photo, and files that are complete or absent."""

import errno
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from portrait_pipeline.decoding.colour import srgb_profile
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.file_names import is_safe_name
from portrait_pipeline.files import part_beside, put_in_place

FORMATS: Mapping[str, Mapping[str, Any]] = {
    ".png": {"format": "PNG"},
    ".jpg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    ".jpeg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    ".webp": {"format": "WEBP", "quality": 95},
}
"""By the ending of a file's name."""
_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class PictureWriter:
    """Writes PNG files into one folder, each completely or not at all.

    A link in place of a file is replaced, never followed out of the folder. Files contain pixels
    and the sRGB profile, no EXIF.

    Args:
        folder: Created if it is missing.
        overwrite: Replace existing files.

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
        """Return the names of `present` that must not be replaced."""
        return [] if self._overwrite else self.present(stems, kind)

    def present(self, stems: list[str], kind: str) -> list[str]:
        """Return the names of files of this kind that are there for the stems."""
        names = "|".join(re.escape(stem) for stem in stems) or "$^"
        wanted = re.compile(rf"({names})_{kind}(_\d+)?\.png")
        return sorted(entry.name for entry in self.folder.iterdir() if wanted.fullmatch(entry.name))

    def write(self, file_name: str, pixels: UInt8[np.ndarray, "height width 3"]) -> Path:
        """Write one PNG and return its path.

        Raises:
            PortraitPipelineError: if the name is no plain file name, the file is there and must
                not be overwritten, or the disk refuses.
        """
        if not is_safe_name(file_name):
            raise PortraitPipelineError(f"{file_name!r} is no safe file name")
        target = self.folder / file_name
        write_picture(target, Image.fromarray(pixels), self._overwrite)
        return target


def write_picture(target: Path, picture: Image.Image, overwrite: bool = False) -> None:
    """Write a picture with the sRGB profile, whole or not at all; the name's ending is its format.

    Args:
        target: Where to; one of the endings of `FORMATS`.
        picture: RGB.
        overwrite: Replace what is there.

    Raises:
        PortraitPipelineError: if the ending is unknown, something is there and must not be
            overwritten, or the disk refuses.
    """
    settings = picture_format(target)
    try:
        part = part_beside(target)
        try:
            with part.open("xb") as file:
                picture.save(file, icc_profile=srgb_profile(), **settings)
            _put(part, target, overwrite)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, UnicodeError) as error:  # the latter: a name that the locale cannot write
        is_full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise PortraitPipelineError(
            f"could not write {target} ({getattr(error, 'strerror', None) or error}):"
            f" {'free space on that disk or ' if is_full else ''}choose another --out"
        ) from error


def picture_format(target: Path) -> Mapping[str, Any]:
    """Return Pillow's settings for the format that a file name ends with.

    Raises:
        PortraitPipelineError: if the ending is none of `FORMATS`.
    """
    settings = FORMATS.get(target.suffix.lower())
    if settings is None:
        raise PortraitPipelineError(
            f"--out {target} ends with {target.suffix!r}, expected one of {', '.join(FORMATS)}"
        )
    return settings


def _put(part: Path, target: Path, overwrite: bool) -> None:
    if overwrite:
        put_in_place(part, target)
        return
    try:
        os.link(part, target)  # unlike a rename, fails where something is there already
    except OSError as error:
        if error.errno in _NO_HARD_LINKS and not os.path.lexists(target):
            put_in_place(part, target)
            return
        if error.errno != errno.EEXIST and error.errno not in _NO_HARD_LINKS:
            raise
        raise PortraitPipelineError(
            f"{target} is there already; choose another --out, or replace it with --force"
        ) from error
