"""Crops that are made when they are asked for, a few at a time."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from portrait_pipeline.cores import available_cores
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.columns import AUDIT_DTYPES, Row, detection_of, transform_of, typed
from portrait_pipeline.faces.crop import CropTransform, centred_square, crop_face
from portrait_pipeline.faces.parallel import in_order
from portrait_pipeline.file_names import path_of_text
from portrait_pipeline.parameters import Domain
from portrait_pipeline.pictures import read_picture
from portrait_pipeline.progress import track

CROP_VERSION = 2
"""To be raised whenever the same square would be drawn differently."""


@dataclass(frozen=True)
class Crop:
    """One crop that has not been made yet: which picture, which square."""

    path: str
    content_hash: str
    transform: CropTransform


@dataclass(frozen=True)
class LazyFaceSet:
    """The crops of one set as recipes. A set of any size costs a list of names.

    Attributes:
        crops: The recipes by name.
        size_px: Edge of every crop.
        title: What the progress bar calls them.
    """

    crops: Mapping[str, Crop]
    size_px: int
    title: str = "faces"

    @property
    def names(self) -> tuple[str, ...]:
        """One name per crop, unique."""
        return tuple(self.crops)

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """What decides the pixels of each crop: a crop with the same fingerprint is the same."""
        return tuple(self._fingerprint(crop) for crop in self.crops.values())

    def make(self, names: Sequence[str]) -> Iterator[UInt8[np.ndarray, "size size 3"]]:
        """Make the named crops, in their order, on all cores; only a few are in memory at once.

        Raises:
            PictureError: if a picture cannot be read any more.
        """
        workers = available_cores()
        with ThreadPoolExecutor(workers) as pool:
            recipes = (self.crops[name] for name in names)
            crops = in_order(pool, self._make_one, recipes, ahead=2 * workers)
            yield from track(crops, f"{self.title}: cropping", total=len(names))

    def _make_one(self, crop: Crop) -> UInt8[np.ndarray, "size size 3"]:
        return crop_face(read_picture(path_of_text(crop.path)), crop.transform, self.size_px)

    def _fingerprint(self, crop: Crop) -> str:
        square = tuple(round(value, 3) for value in astuple(crop.transform))
        text = repr((CROP_VERSION, crop.content_hash, square, self.size_px))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def lazy_faces(audit: pd.DataFrame, domain: Domain, size_px: int) -> LazyFaceSet:
    """Return the crops of the kept pictures of one set that belong to a split."""
    return LazyFaceSet(_recipes(_used(audit, domain)), size_px, f"{domain}s")


def lazy_photos(audit: pd.DataFrame, size_px: int, margin: float) -> LazyFaceSet:
    """Return crops of all kept photographs with the face in the middle, for a face network.

    Unlike the crops of the training these do not move or shrink at the border of a picture: what a
    network sees of two photographs of one person must not depend on where the face lies in them.
    """
    table = typed(audit, AUDIT_DTYPES)
    rows = table[table["kept"] & (table["domain"] == "photo")]
    crops = {
        str(row["name"]): Crop(str(row["path"]), str(row["content_hash"]), _centred(row, margin))
        for row in rows.to_dict("records")
    }
    return LazyFaceSet(crops, size_px, "photos of people")


def lazy_twins(audit: pd.DataFrame, size_px: int) -> LazyFaceSet:
    """Return the painted twins of the photos' crops: the same names, the same squares.

    Empty for real pictures, which have no twins. A twin is told by its photo and its path.
    """
    rows = _used(audit, "photo")
    rows = rows[rows["twin_path"].notna()]
    crops = {
        str(row["name"]): Crop(
            str(row["twin_path"]), f"twin of {row['content_hash']}", transform_of(row)
        )
        for row in rows.to_dict("records")
    }
    return LazyFaceSet(crops, size_px, "twins")


def _centred(row: Row, margin: float) -> CropTransform:
    crop, face = transform_of(row), detection_of(row)
    if face is None or row["crop_from"] != "face":
        return crop
    return centred_square(face, margin, crop.angle_degrees)


def _recipes(rows: pd.DataFrame) -> dict[str, Crop]:
    return {
        str(row["name"]): Crop(str(row["path"]), str(row["content_hash"]), transform_of(row))
        for row in rows.to_dict("records")
    }


def _used(audit: pd.DataFrame, domain: Domain) -> pd.DataFrame:
    """Return the rows of which crops are made, one crop for each.

    Raises:
        PortraitPipelineError: if two rows share a name, or one has none: a crop would be missing,
            or stand in two splits.
    """
    table = typed(audit, AUDIT_DTYPES)
    rows = table[table["kept"] & table["split"].notna() & (table["domain"] == domain)]
    unusable = rows["name"].isna() | rows["name"].duplicated(keep=False)
    if unusable.any():
        names = ", ".join(map(repr, rows["name"][unusable].head(3)))
        raise PortraitPipelineError(
            f"{int(unusable.sum())} of {len(rows)} kept {domain}s have no name of their own in the"
            f" audit ({names}), expected one for each crop: run `kedro run --pipeline=ingest` again"
        )
    return rows
