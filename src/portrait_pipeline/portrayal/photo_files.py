"""The photos that a person named: files, folders, or both."""

import os
from collections.abc import Sequence
from pathlib import Path

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.file_names import name_as_text
from portrait_pipeline.folders import ListedFile, find_files


def find_photos(photos: Sequence[Path], out: Path) -> list[ListedFile]:
    """List what the person named: every file of a folder but those in `out`, and files as they are.

    Raises:
        PortraitPipelineError: if something is not there, a folder is where portraits would go, or
            nothing is left.
    """
    files: list[ListedFile] = []
    for given in photos:
        if given.is_dir():
            files += _files_of_folder(given, out)
        elif given.exists():
            files.append((name_as_text(str(given)), given))
        else:
            raise PortraitPipelineError(
                f"{given} is not there, expected a photo or a folder of photos"
            )
    if not files:
        raise PortraitPipelineError(
            f"{', '.join(map(str, photos))} holds no photo outside of --out {out}, expected at"
            " least one: choose another --out"
        )
    return files


def _files_of_folder(folder: Path, out: Path) -> list[ListedFile]:
    inside = os.path.realpath(out)
    if os.path.realpath(folder) == inside:
        raise PortraitPipelineError(
            f"--out {out} is the folder of the photos, expected another folder"
        )
    return [
        file.listed
        for file in find_files(folder, "name a folder with photos")
        if file.fault or not Path(os.path.realpath(file.path)).is_relative_to(inside)
    ]
