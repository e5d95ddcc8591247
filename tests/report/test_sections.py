"""Counts and left-out pictures."""

from typing import Any, get_args

import pandas as pd
from PIL import Image

from portrait_pipeline.pictures import ListingFault
from portrait_pipeline.report.sections import (
    DataSection,
    count_domains,
    group_left_out,
    read_thumbnail,
)


def test_counts_add_up_or_it_is_said(inputs: Any) -> None:
    """Kept plus left out is the number of files; what is lost is counted, not hidden."""
    photos, portraits = count_domains(inputs["ingestion_summary"])
    assert (photos.unaccounted, portraits.unaccounted) == (0, 0)
    lossy = {"photo": {**inputs["ingestion_summary"]["photo"], "files": 50}}
    assert count_domains(lossy)[0].unaccounted == 7


def test_the_share_of_reflections_stands_beside_the_counts(inputs: Any) -> None:
    """Of each set that says it; without any there is no sentence."""
    summary, shares = inputs["ingestion_summary"], {"photo": 0.34, "painting": 0.0}
    told = {domain: {**summary[domain], "reflected_share": shares[domain]} for domain in shares}
    said = DataSection(count_domains(told), {}, ()).reflection
    assert "34\u202f% (photos) and 0\u202f% (paintings)" in said
    assert "blurred reflection" in said
    unknown = {domain: {**summary[domain], "reflected_share": None} for domain in shares}
    assert DataSection(count_domains(unknown), {}, ()).reflection == ""


def test_every_left_out_picture_is_in_one_group(inputs: Any) -> None:
    """The groups' totals are the number of files that were left out."""
    groups = group_left_out(inputs["ingestion_audit"])
    assert sum(group.total for group in groups) == 3
    assert {group.reason for group in groups} == {"no face", "unreadable", "duplicate"}


def test_what_cannot_be_opened_has_no_thumbnail(inputs: Any, tmp_path: Any) -> None:
    """A broken or missing file gives no picture and no error; its name is shown instead."""
    groups = {
        group.reason: group.pictures[0] for group in group_left_out(inputs["ingestion_audit"])
    }
    assert groups["unreadable"].uri == ""
    assert groups["no face"].uri.startswith("data:image/jpeg")
    assert read_thumbnail(str(tmp_path / "nowhere.jpg")) == ""


def test_what_was_not_opened_stays_closed(inputs: Any, tmp_path: Any) -> None:
    """The page shows no picture behind a link out of the folder, and waits for no pipe."""
    secret = tmp_path / "secret.png"
    Image.new("RGB", (8, 8)).save(secret)
    for fault in get_args(ListingFault):
        row = {"name": "a", "domain": "photo", "path": str(secret), "kept": False, "reason": fault}
        (group,) = group_left_out(pd.DataFrame([row]))
        assert group.pictures[0].uri == ""
