"""The columns of the survey and of the audit, and the way from values to columns and back."""

import math
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from portrait_pipeline.faces.crop import CropTransform
from portrait_pipeline.faces.detection import Detection
from portrait_pipeline.faces.record import PictureRecord
from portrait_pipeline.parameters import Domain

Row = Mapping[Hashable, Any]

BOX_COLUMNS = ("box_left", "box_top", "box_right", "box_bottom")
LANDMARK_COLUMNS = tuple(
    f"{point}_{axis}"
    for point in ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
    for axis in ("x", "y")
)
CROP_COLUMNS = ("crop_centre_x", "crop_centre_y", "crop_edge_px", "crop_angle_degrees")

SURVEY_DTYPES: Mapping[str, str] = {
    "name": "string",
    "domain": "string",
    "path": "string",
    "twin_path": "string",
    "content_hash": "string",
    "fault": "string",
    "detail": "string",
    "width_px": "int64",
    "height_px": "int64",
    "perceptual_hash": "string",
    "sharpness": "float64",
    "brightness": "float64",
    "colourfulness": "float64",
    "probability": "float64",
    **dict.fromkeys(BOX_COLUMNS + LANDMARK_COLUMNS, "float64"),
}
"""What was measured in each file; further columns of the sources (title, artist …) stay behind."""

AUDIT_DTYPES: Mapping[str, str] = {
    **SURVEY_DTYPES,
    "kept": "bool",
    "reason": "string",
    "duplicate_of": "string",
    "cluster": "int64",
    "person": "int64",
    "crop_from": "string",
    "reflected_share": "float64",
    **dict.fromkeys(CROP_COLUMNS, "float64"),
    "split": "string",
}
"""The audit: a survey, the verdict on every file, its crop and its split."""


def typed(table: pd.DataFrame, dtypes: Mapping[str, str]) -> pd.DataFrame:
    """Give a table, as it comes from a file, the types of its columns; absent: NA or -1."""
    further = [name for name in table if name not in dtypes]
    whole = table.reindex(columns=[*dtypes, *further])
    absent = [name for name in dtypes if name not in table and dtypes[name] == "int64"]
    whole[absent] = -1
    return whole.astype(dict(dtypes)).reset_index(drop=True)


def survey_table(
    sources: pd.DataFrame, domain: Domain, records: Iterable[PictureRecord]
) -> pd.DataFrame:
    """Put what was measured beside the sources, one row per file, in their order."""
    measured = pd.DataFrame(
        [_record_row(record) for record in records],
        columns=[*SURVEY_DTYPES][4:],
    )
    named = sources.drop(columns="fault", errors="ignore").reset_index(drop=True)
    if len(named) != len(measured):
        raise ValueError(f"{len(measured)} files were measured, expected {len(named)}")
    whole = pd.concat([named, measured], axis=1).assign(domain=domain)
    return typed(whole, SURVEY_DTYPES)


def _record_row(record: PictureRecord) -> dict[str, object]:
    row: dict[str, object] = {
        "content_hash": record.content_hash or None,
        "fault": record.fault,
        "detail": record.detail or None,
        "width_px": record.width_px,
        "height_px": record.height_px,
        "perceptual_hash": record.perceptual_hash or None,
        "sharpness": record.sharpness,
        "brightness": record.brightness,
        "colourfulness": record.colourfulness,
    }
    if record.detection is not None:
        row["probability"] = record.detection.probability
        row |= dict(zip(BOX_COLUMNS, record.detection.box, strict=True))
        coordinates = [value for point in record.detection.landmarks for value in point]
        row |= dict(zip(LANDMARK_COLUMNS, coordinates, strict=True))
    return row


def detection_of(row: Row) -> Detection | None:
    """Read the face of one row back, or None where the row has none."""
    values = np.array([row[name] for name in BOX_COLUMNS + LANDMARK_COLUMNS], dtype=np.float64)
    if math.isnan(values[0]):
        return None
    return Detection.of_arrays(values[:4], values[4:].reshape(5, 2), float(row["probability"]))


def transform_columns(transform: CropTransform | None) -> dict[str, float]:
    """Write a crop's square as columns; NaN where there is none."""
    if transform is None:
        return dict.fromkeys(CROP_COLUMNS, math.nan)
    values = (
        transform.centre_x,
        transform.centre_y,
        transform.edge_px,
        transform.angle_degrees,
    )
    return dict(zip(CROP_COLUMNS, values, strict=True))


def transform_of(row: Row) -> CropTransform:
    """Read a crop's square back from its columns."""
    return CropTransform(*(float(row[name]) for name in CROP_COLUMNS))
