"""The audit: one row per source file, kept or left out, and why.

Nothing is lost without a word: every file of a source is a row, and the rows kept and left out add
up to their number.
"""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from portrait_pipeline.faces.columns import (
    AUDIT_DTYPES,
    CROP_COLUMNS,
    SURVEY_DTYPES,
    Row,
    detection_of,
    transform_columns,
    typed,
)
from portrait_pipeline.faces.crop import centre_transform, crop_transform, reflected_share
from portrait_pipeline.faces.decisions import FACE_FAULTS, decide_copies, keys_of, settle
from portrait_pipeline.parameters import AuditParameters, FaceParameters

REASONS = (
    "link out of the folder",
    "broken link",
    "not a file",
    "unreadable",
    "truncated",
    "empty",
    "not an image",
    "HEIC",
    "too large",
    "too costly",
    "too small",
    "no face",
    "low probability",
    "nearly one colour",
    "duplicate",
)
"""Why a file may be left out; for a duplicate, `duplicate_of` names the picture kept instead."""
COUNTED_DTYPES = {
    name: AUDIT_DTYPES[name]
    for name in ("domain", "kept", "reason", "crop_from", "reflected_share", "split", "person")
}
ROWS_AT_ONCE = 10_000
MAX_PRINT_COLOURFULNESS = 0.03
"""Faces below are engravings, drawings or photographs in one ink; looked at on 731 of The Met's."""


def audit_pictures(
    survey: pd.DataFrame, faces: FaceParameters, parameters: AuditParameters
) -> pd.DataFrame:
    """Decide for every file of both sets whether it is kept, and how it is cropped.

    Args:
        survey: The surveys of photos and paintings, one below the other.
        faces: What is done with pictures without a face (`no_face`), and how faces are cropped.
        parameters: What else is left out.

    Returns:
        The audit, with the columns of `AUDIT_DTYPES`; its `split` is still empty.

    Raises:
        PortraitPipelineError: if `no_face` is `fail` and a picture has no usable face.
    """
    audit = audit_files(survey, faces, parameters)
    return settle(audit, decide_copies(keys_of(audit), faces, parameters))


def audit_files(
    survey: pd.DataFrame, faces: FaceParameters, parameters: AuditParameters
) -> pd.DataFrame:
    """Audit files by themselves, without regard to their copies and to what else there is.

    Args:
        survey: Of any files, a shard for instance.
        faces: As for `audit_pictures`.
        parameters: As for `audit_pictures`.

    Returns:
        The audit, with the columns of `AUDIT_DTYPES`; nothing is decided yet about copies, people
        and splits.
    """
    table = typed(survey, SURVEY_DTYPES)
    table["reason"] = _own_reasons(table, faces, parameters)
    table["kept"] = table["reason"].isna()
    table["crop_from"] = _crop_sources(table)
    columns = [*CROP_COLUMNS, "reflected_share"]
    crops = (_crop_columns(row, faces) for row in _rows(table))
    values = ([crop.get(name, math.nan) for name in columns] for crop in crops)
    table[columns] = np.fromiter(values, np.dtype((np.float64, len(columns))), len(table))
    return typed(table, AUDIT_DTYPES)


def count_left_out(audit: pd.DataFrame) -> dict[str, int]:
    """Count the files that were left out for each reason, the most frequent first."""
    counts = audit.loc[~audit["kept"], "reason"].astype("string").value_counts()
    return {str(reason): int(count) for reason, count in counts.items()}


def describe_audit(audit: pd.DataFrame) -> list[str]:
    """Say in one line for each domain how many files there were, were kept, and were left out."""
    lines = []
    for domain, rows in audit.groupby("domain", sort=False):
        kept = int(rows["kept"].sum())
        reasons = ", ".join(f"{count} {reason}" for reason, count in count_left_out(rows).items())
        line = f"{domain}s: {len(rows)} files, {kept} faces kept, {len(rows) - kept} left out"
        lines.append(f"{line} ({reasons})" if reasons else line)
    return lines


def summarise(audit: pd.DataFrame) -> dict[str, dict[str, object]]:
    """Count, for each domain, files, kept and left out, crops by their source, splits and people.

    `kept` plus the sum of `left_out` is `files`; the sum of `splits` is `kept`. `persons` counts
    the people and the pictures of the most frequent one; both are 0 where they were not looked for.
    `reflected_share` is how much of the crops' area lies beyond the borders of their pictures, in
    [0, 1]; None where that is not known.
    """
    summary: dict[str, dict[str, object]] = {}
    counted = typed(audit[[*COUNTED_DTYPES]], COUNTED_DTYPES)
    for domain, rows in counted.groupby("domain", sort=False):
        kept = rows[rows["kept"]]
        splits = kept["split"].fillna("unused").value_counts()
        persons = kept.loc[kept["person"] >= 0, "person"].value_counts()
        reflected = kept["reflected_share"]
        summary[str(domain)] = {
            "files": len(rows),
            "kept": len(kept),
            "left_out": count_left_out(rows),
            "crop_from": {str(key): int(n) for key, n in kept["crop_from"].value_counts().items()},
            "splits": {str(key): int(n) for key, n in splits.items()},
            "persons": {"found": len(persons), "largest": int(max(persons, default=0))},
            "reflected_share": float(reflected.mean()) if reflected.count() else None,
        }
    return summary


def _own_reasons(
    table: pd.DataFrame, faces: FaceParameters, parameters: AuditParameters
) -> pd.Series:
    """Return why each file is left out for itself, without regard to its copies."""
    reasons = table["fault"].copy()
    if faces.no_face == "centre":
        shorter = table[["width_px", "height_px"]].min(axis=1)
        large_enough = shorter >= faces.min_face_px
        reasons[table["fault"].isin(FACE_FAULTS) & large_enough] = pd.NA
    if parameters.drop_monochrome_paintings:
        is_print = table["colourfulness"] < MAX_PRINT_COLOURFULNESS
        reasons[(table["domain"] == "painting") & is_print & reasons.isna()] = "nearly one colour"
    return reasons


def _crop_sources(table: pd.DataFrame) -> pd.Series:
    """Say of every kept picture whether its crop follows the face or the centre."""
    sources = pd.Series(pd.NA, index=table.index, dtype="string")
    sources[table["kept"]] = "face"
    sources[table["kept"] & table["fault"].notna()] = "centre"
    return sources


def _rows(table: pd.DataFrame) -> Iterator[Row]:
    """Yield rows as dictionaries, which take kilobytes each, a few at a time."""
    for start in range(0, len(table), ROWS_AT_ONCE):
        yield from table.iloc[start : start + ROWS_AT_ONCE].to_dict("records")


def _crop_columns(row: Row, faces: FaceParameters) -> dict[str, float]:
    if not row["kept"]:
        return transform_columns(None)
    width, height = int(row["width_px"]), int(row["height_px"])
    detection = detection_of(row) if row["crop_from"] == "face" else None
    if detection is None:
        transform = centre_transform(width, height)
    else:
        transform = crop_transform(detection, faces, (width, height))
    share = reflected_share(transform, width, height)
    return {**transform_columns(transform), "reflected_share": share}
