"""The files of portraits: none that is there is replaced unasked, no photo ever."""

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from PIL import Image

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.portrayal.naming import write_picture


def refuse_existing(
    targets: Sequence[Path], photos: Sequence[Path], are_numbered: bool, force: bool
) -> None:
    """Refuse before anything is painted what must not be written in the end.

    Args:
        targets: Files to write.
        photos: Files to read.
        are_numbered: A photo may have several portraits, `TARGET_1.png` and so on.
        force: Files that are there may be replaced, but for the photos.

    Raises:
        PortraitPipelineError: with the first of these files.
    """
    present = [place for target in targets for place in _present(target, are_numbered)]
    refuse_photos(present, photos)
    if present and not force:
        more = f" and {len(present) - 1} more" if len(present) > 1 else ""
        raise PortraitPipelineError(
            f"{present[0]}{more} is there already; choose another --out, or replace with --force"
        )


def refuse_photos(places: Sequence[Path], photos: Sequence[Path]) -> None:
    """Refuse files to write that are photos to read, by whichever name.

    Raises:
        PortraitPipelineError: with the first of these files.
    """
    originals = {os.path.realpath(photo) for photo in photos}
    for place in places:
        if os.path.realpath(place) in originals:
            raise PortraitPipelineError(
                f"{place} is one of the photos, which no portrait replaces; choose another --out"
            )


def _present(target: Path, are_numbered: bool) -> Iterator[Path]:
    if os.path.lexists(target):
        yield target
    if are_numbered:
        stem, ending = glob.escape(target.stem), glob.escape(target.suffix)
        yield from target.parent.glob(f"{stem}_[0-9]*{ending}")


def write_numbered(
    target: Path, pictures: Sequence[Image.Image], force: bool
) -> Mapping[Path, Image.Image]:
    """Write the pictures of one photo, all or none, numbered where there are several.

    Raises:
        PortraitPipelineError: as `write_picture`.
    """
    places = [target]
    if len(pictures) > 1:
        places = [target.with_stem(f"{target.stem}_{k}") for k in range(1, len(pictures) + 1)]
    written: list[Path] = []
    try:
        for place, picture in zip(places, pictures, strict=True):
            write_picture(place, picture, force)
            written.append(place)
    except BaseException:
        for place in written:
            place.unlink(missing_ok=True)
        raise
    return dict(zip(places, pictures, strict=True))
