"""Every file is a row, kept or left out with its reason, and the counts add up."""

from dataclasses import replace
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from support.ingestion import AUDIT, FACES, face_at

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.audit import (
    REASONS,
    audit_pictures,
    count_left_out,
    describe_audit,
    summarise,
)
from portrait_pipeline.faces.columns import (
    AUDIT_DTYPES,
    detection_of,
    survey_table,
    transform_of,
    typed,
)
from portrait_pipeline.faces.crop import crop_transform
from portrait_pipeline.faces.record import PictureRecord, without_picture
from portrait_pipeline.parameters import Domain

FACE = face_at(20, 20, 60, 5.0)


def record(content: str, perceptual_hash: int, **changes: object) -> PictureRecord:
    good = PictureRecord(content, None, 200, 160, f"{perceptual_hash:016x}", 0.01, 0.5, 0.1, FACE)
    return replace(good, **changes)  # type: ignore[arg-type]


def far(index: int) -> int:
    """A hash that is far from all others."""
    return int(np.random.default_rng(index).integers(0, 2**63))


def survey(domain: Domain, *records: PictureRecord) -> pd.DataFrame:
    names = [f"{domain} {index}.jpg" for index in range(len(records))]
    table = pd.DataFrame({"name": names, "path": names, "twin_path": pd.NA, "artist": "somebody"})
    return survey_table(table, domain, records)


MIXED = pd.concat(
    [
        survey(
            "photo",
            record("a", far(0)),
            without_picture("b", "truncated"),
            record("c", far(1), fault="no face", detection=None),
            record("d", far(2), fault="low probability"),
            record("e", far(3), fault="too small"),
            record("a", far(0)),
            record("f", far(0) ^ 0b101, width_px=400),
            record("print", far(4), colourfulness=0.001),
        ),
        survey("painting", record("x", far(5)), record("y", far(6), colourfulness=0.001)),
    ],
    ignore_index=True,
)


def test_every_file_has_its_reason() -> None:
    """Each fault is the reason of its row; prints are left out of the paintings alone."""
    audit = audit_pictures(MIXED, FACES, AUDIT)
    assert audit["reason"].fillna("kept").tolist() == [
        "duplicate",
        "truncated",
        "no face",
        "low probability",
        "too small",
        "duplicate",
        "kept",
        "kept",
        "kept",
        "nearly one colour",
    ]
    assert audit["duplicate_of"].dropna().unique().tolist() == ["photo 6.jpg"]
    assert set(audit["reason"].dropna()) <= set(REASONS)


def test_counts_add_up_to_the_files() -> None:
    """Rows are files; kept and left out are all of them; splits and sources are the kept ones."""
    audit = audit_pictures(MIXED, FACES, AUDIT)
    summary = summarise(audit)
    for domain, files in (("photo", 8), ("painting", 2)):
        counts = summary[domain]
        assert counts["files"] == files
        assert counts["kept"] + sum(counts["left_out"].values()) == files
        assert sum(counts["crop_from"].values()) == counts["kept"]
        assert sum(counts["splits"].values()) == counts["kept"]
    assert sum(count_left_out(audit).values()) == int((~audit["kept"]).sum())


def test_the_line_for_the_terminal_tells_the_counts() -> None:
    """One line for each set, the most frequent reason first."""
    photos, paintings = describe_audit(audit_pictures(MIXED, FACES, AUDIT))
    assert photos == (
        "photos: 8 files, 2 faces kept, 6 left out"
        " (2 duplicate, 1 truncated, 1 no face, 1 low probability, 1 too small)"
    )
    assert paintings == "paintings: 2 files, 1 faces kept, 1 left out (1 nearly one colour)"


def test_without_a_face_the_centre_may_be_taken() -> None:
    """`no_face: centre` keeps readable pictures without a face, and says so."""
    audit = audit_pictures(MIXED, FACES.model_copy(update={"no_face": "centre"}), AUDIT)
    rows = audit.iloc[2:5]
    assert rows["crop_from"].tolist() == ["centre"] * 3
    assert transform_of(rows.to_dict("records")[0]).edge_px == 160
    assert audit["reason"][1] == "truncated"


def test_without_a_face_the_run_may_fail() -> None:
    """`no_face: fail` names how many pictures have no usable face, and some of them."""
    strict = FACES.model_copy(update={"no_face": "fail"})
    with pytest.raises(
        PortraitPipelineError, match=r"3 of 10 pictures .*photo 2\.jpg.*drop or centre"
    ):
        audit_pictures(MIXED, strict, AUDIT)
    audit_pictures(survey("photo", record("a", 1)), strict, AUDIT)


def test_the_largest_copy_is_kept_whatever_the_order() -> None:
    """Of copies the one with most pixels stays; among equals the first by name."""
    records = [record(str(width), 7, width_px=width) for width in (300, 500, 400)]
    for order in (records, records[::-1]):
        audit = audit_pictures(survey("photo", *order), FACES, AUDIT)
        assert audit.loc[audit["kept"], "width_px"].tolist() == [500]
    equal = audit_pictures(survey("photo", *[record("same", 7)] * 3), FACES, AUDIT)
    assert equal.loc[equal["kept"], "name"].tolist() == ["photo 0.jpg"]


def test_copies_may_be_kept_and_are_still_one_cluster() -> None:
    """With `drop_duplicates: false` all stay, marked as one cluster, also across the two sets."""
    keep = AUDIT.model_copy(update={"drop_duplicates": False})
    both = pd.concat(
        [survey("photo", record("a", 7), record("b", 7)), survey("painting", record("a", 7))],
        ignore_index=True,
    )
    audit = audit_pictures(both, FACES, keep)
    assert audit["kept"].all()
    assert audit["cluster"].nunique() == 1
    dropped = audit_pictures(both, FACES, AUDIT)
    assert dropped["kept"].tolist() == [True, False, True]


def test_crops_and_faces_are_in_the_table() -> None:
    """Face and square are read back as they were; what is left out has no square."""
    audit = audit_pictures(MIXED, FACES, AUDIT)
    row = audit.to_dict("records")[6]
    assert detection_of(row) == FACE
    assert transform_of(row) == crop_transform(
        FACE, FACES, (int(row["width_px"]), int(row["height_px"]))
    )
    assert audit.loc[~audit["kept"], "crop_edge_px"].isna().all()


def test_how_much_of_the_crops_is_reflected_is_said() -> None:
    """Of a face that leaves its picture by half on one side half; the summary has the mean."""
    beside = face_at(-30, 20, 60)
    photos = survey("photo", record("a", far(0)), record("b", far(1), detection=beside))
    both = pd.concat([photos, survey("painting", record("x", far(2)))], ignore_index=True)
    audit = audit_pictures(both, FACES.model_copy(update={"fit_in_picture": False}), AUDIT)
    assert audit["reflected_share"].tolist() == pytest.approx([0.0, 0.5, 0.0], abs=0.02)
    summary = summarise(audit)
    assert summary["photo"]["reflected_share"] == pytest.approx(0.25, abs=0.01)
    assert summary["painting"]["reflected_share"] == 0.0
    unknown = summarise(audit.assign(reflected_share=np.nan))
    assert unknown["photo"]["reflected_share"] is None


def test_the_audit_survives_a_file() -> None:
    """Written as CSV and read back, types, values and further columns are as before."""
    audit = audit_pictures(MIXED, FACES, AUDIT)
    text = StringIO(audit.to_csv(index=False))
    again = typed(pd.read_csv(text), AUDIT_DTYPES)
    pd.testing.assert_frame_equal(again, audit, check_dtype=False, rtol=1e-12)
    assert {name: str(audit[name].dtype) for name in AUDIT_DTYPES} == {
        name: str(again[name].dtype) for name in AUDIT_DTYPES
    }
    assert "artist" in again


def test_monochrome_portraits_may_stay() -> None:
    """Prints are left out by a parameter only."""
    keep = AUDIT.model_copy(update={"drop_monochrome_paintings": False})
    assert audit_pictures(MIXED, FACES, keep)["kept"].iloc[-1]
