"""Nodes of the ingestion: from sources of pictures to audited, split and aligned face crops."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from portrait_pipeline.faces.audit import audit_files, audit_pictures, describe_audit, summarise
from portrait_pipeline.faces.columns import survey_table
from portrait_pipeline.faces.decisions import DECIDED_COLUMNS, decide_copies, keys_of, settle
from portrait_pipeline.faces.detect import FaceDetector
from portrait_pipeline.faces.lazy import LazyFaceSet, lazy_faces, lazy_twins
from portrait_pipeline.faces.persons import add_persons, describe_with_dlib
from portrait_pipeline.faces.record import DetectionStore, without_picture
from portrait_pipeline.faces.shards import (
    MergedColumns,
    MergedTable,
    Order,
    Table,
    divide_shards,
    gather_rows,
    read_table,
    shards_of,
)
from portrait_pipeline.faces.split import (
    SPLIT_COLUMNS,
    choose_splits,
    content_ranks,
    describe_splits,
    split_pictures,
)
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


def audit_faces(
    photo_survey: pd.DataFrame,
    painting_survey: pd.DataFrame,
    faces: FaceParameters,
    audit: AuditParameters,
) -> pd.DataFrame:
    """Decide for every file whether it is kept, and why not; find the copies within both sets."""
    survey = pd.concat([photo_survey, painting_survey], ignore_index=True)
    audited = audit_pictures(survey, faces, audit)
    _tell(describe_audit(audited))
    return audited


def find_persons(
    face_audit: pd.DataFrame,
    photos: PictureSourceParameters,
    persons: PersonParameters,
    embedding_store: EmbeddingStore,
) -> pd.DataFrame:
    """Find out which photographs show one person, so that no split parts them."""
    return _with_persons(face_audit, photos, persons, embedding_store)


def split_faces(
    audit_with_persons: pd.DataFrame, splits: SplitParameters
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Divide the kept faces into train, validation and test by a hash of their content.

    Returns:
        The splits (`SPLIT_COLUMNS`) and the whole audit.
    """
    audit = split_pictures(audit_with_persons, splits)
    _tell(describe_splits(audit))
    return _used(audit), audit


def summarise_ingestion(ingestion_audit: pd.DataFrame) -> dict[str, Any]:
    """Count files, kept and left out, and splits, for the report and for machines."""
    return summarise(ingestion_audit)


def crop_photo_faces(ingestion_audit: Table, faces: FaceParameters) -> LazyFaceSet:
    """Say how every photo of a split is cropped; the crops are made as they are saved."""
    return _crop(lazy_faces(read_table(ingestion_audit), "photo", faces.crop_size_px))


def crop_painting_faces(ingestion_audit: Table, faces: FaceParameters) -> LazyFaceSet:
    """Say how every painting of a split is cropped; the crops are made as they are saved."""
    return _crop(lazy_faces(read_table(ingestion_audit), "painting", faces.crop_size_px))


def crop_twin_faces(ingestion_audit: pd.DataFrame, faces: FaceParameters) -> LazyFaceSet:
    """Crop the painted twins of the sample exactly as their photos; none for real pictures."""
    return _crop(lazy_twins(ingestion_audit, faces.crop_size_px))


def dividing_into(num_shards: int) -> Callable[[pd.DataFrame], list[Any]]:
    """Make the node function that divides the files of a set into shards."""

    def divide_files(files: pd.DataFrame) -> list[Any]:
        """Divide files by a hash of their name, so that added files move none.

        Returns:
            The shard of each file, and the files of each shard.
        """
        order = shards_of(files["name"], num_shards)
        return [order, *divide_shards(files, order, num_shards)]

    return divide_files


def audit_shard(
    survey: pd.DataFrame, faces: FaceParameters, audit: AuditParameters, splits: SplitParameters
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Audit the files of a shard by themselves.

    Returns:
        Their audit, and what the decisions about all files need of it.
    """
    audited = audit_files(survey, faces, audit)
    ranks = content_ranks(audited["content_hash"].where(audited["kept"]), splits.seed)
    return audited, keys_of(audited).assign(rank=ranks)


def find_copies(
    photo_order: Order,
    painting_order: Order,
    faces: FaceParameters,
    audit: AuditParameters,
    *keys: pd.DataFrame,
) -> pd.DataFrame:
    """Find the copies within both sets, from the keys of all shards: photos, then paintings.

    Returns:
        What is decided about every file, in the order of the sources, its `shard` and `rank`.
    """
    order = np.concatenate([photo_order, painting_order + len(keys) // 2])
    merged = MergedColumns(order, keys)
    decisions = decide_copies(merged, faces, audit).assign(shard=order, rank=merged["rank"])
    _tell(describe_audit(decisions))
    return decisions


def find_persons_in_shards(
    copy_decisions: pd.DataFrame,
    photos: PictureSourceParameters,
    persons: PersonParameters,
    embedding_store: EmbeddingStore,
    *photo_audits: Table,
) -> pd.DataFrame:
    """Find out which photographs show one person; audits are read only where they are few."""

    def read_photos() -> pd.DataFrame:
        order, kept = copy_decisions["shard"].to_numpy(), copy_decisions["kept"]
        return gather_rows(order, photo_audits, lambda rows: kept[rows.index])

    return _with_persons(copy_decisions, photos, persons, embedding_store, read_photos)


def splitting_into(
    num_shards: int,
) -> Callable[[pd.DataFrame, SplitParameters], list[pd.DataFrame]]:
    """Make the node function that decides on the splits, and tells each shard what is decided."""

    def split_shards(decisions: pd.DataFrame, splits: SplitParameters) -> list[pd.DataFrame]:
        """Divide the kept faces into train, validation and test, as `split_faces` does.

        Returns:
            The decisions about all files, and those about the files of each shard.
        """
        decided = decisions.assign(split=choose_splits(decisions, splits))
        _tell(describe_splits(decided))
        order = decided["shard"].to_numpy()
        return [decided, *divide_shards(decided[DECIDED_COLUMNS], order, num_shards)]

    return split_shards


def settle_shard(face_audit: Table, decisions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Finish the audit of a shard with what was decided over all files.

    Returns:
        The splits (`SPLIT_COLUMNS`) and the whole audit of the shard.
    """
    audit = settle(read_table(face_audit), decisions)
    return _used(audit), audit


def merge_splits(decisions: pd.DataFrame, *splits: Table) -> MergedTable:
    """Put the splits of all shards into one table, in the order of the sources."""
    return MergedTable(decisions.loc[decisions["split"].notna(), "shard"].to_numpy(), splits)


def merge_audits(decisions: pd.DataFrame, *audits: Table) -> MergedTable:
    """Put the audits of all shards into one table, in the order of the sources."""
    return MergedTable(decisions["shard"].to_numpy(), audits)


def crop_twins_of_shards(
    decisions: pd.DataFrame, faces: FaceParameters, *photo_audits: Table
) -> LazyFaceSet:
    """Crop the painted twins of the sample, as `crop_twin_faces` does."""
    order = decisions["shard"].to_numpy()
    rows = gather_rows(order, photo_audits, lambda audit: audit["twin_path"].notna())
    return _crop(lazy_twins(rows, faces.crop_size_px))


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


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        logger.info(line)


def _with_persons(
    audit: pd.DataFrame,
    photos: PictureSourceParameters,
    persons: PersonParameters,
    embedding_store: EmbeddingStore,
    read_photos: Callable[[], pd.DataFrame] | None = None,
) -> pd.DataFrame:
    if photos.source == "sample":
        logger.info("every drawn person is there once, so people were not looked for")
        return audit
    describe = describe_with_dlib(embedding_store)
    with_persons, sentence = add_persons(audit, persons, describe, read_photos)
    logger.info(sentence)
    return with_persons


def _used(audit: pd.DataFrame) -> pd.DataFrame:
    return audit.loc[audit["split"].notna(), SPLIT_COLUMNS].reset_index(drop=True)
