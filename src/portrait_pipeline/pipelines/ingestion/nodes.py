"""Nodes of the ingestion: from sources of pictures to audited, split and aligned face crops."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from portrait_pipeline.faces.audit import audit_pictures, describe_audit, summarise
from portrait_pipeline.faces.columns import survey_table
from portrait_pipeline.faces.detect import FaceDetector
from portrait_pipeline.faces.lazy import LazyFaceSet, lazy_faces, lazy_twins
from portrait_pipeline.faces.persons import add_persons, describe_with_dlib
from portrait_pipeline.faces.record import DetectionStore, without_picture
from portrait_pipeline.faces.shards import divide_shards, merge_shards
from portrait_pipeline.faces.split import SPLIT_COLUMNS, split_pictures
from portrait_pipeline.faces.survey import survey_pictures
from portrait_pipeline.identity.embedding_store import EmbeddingStore
from portrait_pipeline.parameters import (
    AuditParameters,
    Domain,
    FaceParameters,
    PersonParameters,
    PictureSourceParameters,
    SampleParameters,
    SplitParameters,
)
from portrait_pipeline.progress import track
from portrait_pipeline.sources import fetch_pictures
from portrait_pipeline.sources.files import listed_files

logger = logging.getLogger(__name__)


def fetch_photos(
    photos: PictureSourceParameters, sample: SampleParameters, raw_photos_folder: Path
) -> pd.DataFrame:
    """Bring the photographs into the project's folder, or find them in the user's own."""
    return _fetch(photos, sample, "photo", raw_photos_folder)


def fetch_paintings(
    paintings: PictureSourceParameters, sample: SampleParameters, raw_paintings_folder: Path
) -> pd.DataFrame:
    """Bring the paintings into the project's folder, or find them in the user's own."""
    return _fetch(paintings, sample, "painting", raw_paintings_folder)


def detect_photo_faces(
    photo_sources: pd.DataFrame, faces: FaceParameters, detection_store: DetectionStore
) -> pd.DataFrame:
    """Look for the face in every photograph and measure it; known files are not looked at again."""
    return _survey(photo_sources, "photo", faces, detection_store)


def detect_painting_faces(
    painting_sources: pd.DataFrame, faces: FaceParameters, detection_store: DetectionStore
) -> pd.DataFrame:
    """Look for the face in every painting and measure it; known files are not looked at again."""
    return _survey(painting_sources, "painting", faces, detection_store)


def dividing_into(num_shards: int) -> Callable[[pd.DataFrame], list[pd.DataFrame]]:
    """Make the node function that divides a table of files into shards."""

    def divide_files(files: pd.DataFrame) -> list[pd.DataFrame]:
        """Divide files by a hash of their name, so that added files move none."""
        return divide_shards(files, num_shards)

    return divide_files


def merge_photo_surveys(photo_sources: pd.DataFrame, *shards: pd.DataFrame) -> pd.DataFrame:
    """Put what was found in the shards into one table, in the order of the sources."""
    return merge_shards(photo_sources["name"], shards)


def merge_painting_surveys(painting_sources: pd.DataFrame, *shards: pd.DataFrame) -> pd.DataFrame:
    """Put what was found in the shards into one table, in the order of the sources."""
    return merge_shards(painting_sources["name"], shards)


def audit_faces(
    photo_survey: pd.DataFrame,
    painting_survey: pd.DataFrame,
    faces: FaceParameters,
    audit: AuditParameters,
) -> pd.DataFrame:
    """Decide for every file whether it is kept, and why not; find the copies within both sets."""
    survey = pd.concat([photo_survey, painting_survey], ignore_index=True)
    audited = audit_pictures(survey, faces, audit)
    for line in describe_audit(audited):
        logger.info(line)
    return audited


def find_persons(
    face_audit: pd.DataFrame,
    photos: PictureSourceParameters,
    persons: PersonParameters,
    embedding_store: EmbeddingStore,
) -> pd.DataFrame:
    """Find out which photographs show one person, so that no split parts them."""
    if photos.source == "sample":
        logger.info("every drawn person is there once, so people were not looked for")
        return face_audit
    audit, sentence = add_persons(face_audit, persons, describe_with_dlib(embedding_store))
    logger.info(sentence)
    return audit


def split_faces(
    audit_with_persons: pd.DataFrame, splits: SplitParameters
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Divide the kept faces into train, validation and test by a hash of their content.

    Returns:
        The splits (`SPLIT_COLUMNS`) and the whole audit.
    """
    audit = split_pictures(audit_with_persons, splits)
    used = audit.loc[audit["split"].notna(), SPLIT_COLUMNS]
    counts = used.groupby(["domain", "split"]).size()
    for domain in ("photo", "painting"):
        parts = [
            f"{counts.get((domain, name), 0)} {name}" for name in ("train", "validation", "test")
        ]
        logger.info("%ss: %s", domain, ", ".join(parts))
    return used.reset_index(drop=True), audit


def summarise_ingestion(ingestion_audit: pd.DataFrame) -> dict[str, Any]:
    """Count files, kept and left out, and splits, for the report and for machines."""
    return summarise(ingestion_audit)


def crop_photo_faces(ingestion_audit: pd.DataFrame, faces: FaceParameters) -> LazyFaceSet:
    """Say how every photo of a split is cropped; the crops are made as they are saved."""
    return _crop(lazy_faces(ingestion_audit, "photo", faces.crop_size_px))


def crop_painting_faces(ingestion_audit: pd.DataFrame, faces: FaceParameters) -> LazyFaceSet:
    """Say how every painting of a split is cropped; the crops are made as they are saved."""
    return _crop(lazy_faces(ingestion_audit, "painting", faces.crop_size_px))


def crop_twin_faces(ingestion_audit: pd.DataFrame, faces: FaceParameters) -> LazyFaceSet:
    """Crop the painted twins of the sample exactly as their photos; none for real pictures."""
    return _crop(lazy_twins(ingestion_audit, faces.crop_size_px))


def _fetch(
    source: PictureSourceParameters, sample: SampleParameters, domain: Domain, folder: Path
) -> pd.DataFrame:
    table = fetch_pictures(source, sample, domain, folder)
    logger.info("%ss: %d files from %s", domain, len(table), source.folder or source.source)
    return table


def _survey(
    sources: pd.DataFrame, domain: Domain, faces: FaceParameters, store: DetectionStore
) -> pd.DataFrame:
    files = [path for _, path in listed_files(sources)]
    paths = [str(path) for path in files if isinstance(path, Path)]
    records = survey_pictures(paths, FaceDetector(faces), store, faces)
    counted = iter(track(records, f"{domain}s: finding faces", total=len(paths)))
    every = (
        next(counted) if isinstance(file, Path) else without_picture("", file) for file in files
    )
    return survey_table(sources, domain, every)


def _crop(crops: LazyFaceSet) -> LazyFaceSet:
    if crops.names:
        logger.info("%s: %d crops of %d px", crops.title, len(crops.names), crops.size_px)
    return crops
