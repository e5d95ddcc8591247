"""Crops are made when asked for, in order, and known by what decides them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.ingestion import AUDIT, FACES, CentreFinder, MemoryStore, noise_pictures

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.audit import audit_pictures
from portrait_pipeline.faces.columns import detection_of, survey_table, transform_of
from portrait_pipeline.faces.crop import crop_face
from portrait_pipeline.faces.lazy import lazy_faces, lazy_photos, lazy_twins
from portrait_pipeline.faces.survey import survey_pictures
from portrait_pipeline.pictures import PictureError, read_picture


@pytest.fixture
def audit(tmp_path: Path) -> pd.DataFrame:
    """Ten pictures, the first without a split; every second one has a twin."""
    table = noise_pictures(tmp_path / "photos", 10)
    twins = noise_pictures(tmp_path / "twins", 10, first=100)["path"]
    table["twin_path"] = twins.where(twins.index % 2 == 1, pd.NA)
    records = survey_pictures(table["path"].tolist(), CentreFinder(), MemoryStore(), FACES)
    audited = audit_pictures(survey_table(table, "photo", records), FACES, AUDIT)
    return audited.assign(split=[pd.NA, *["train"] * 9])


def test_every_picture_with_a_split_is_cropped_in_order(audit: pd.DataFrame) -> None:
    """Names are those of the split; each crop is its picture through its own square."""
    lazy = lazy_faces(audit, "photo", 32)
    assert lazy.names == tuple(audit["name"][1:])
    for row, pixels in zip(audit.to_dict("records")[1:], lazy.make(lazy.names), strict=True):
        expected = crop_face(read_picture(row["path"]), transform_of(row), 32)
        assert np.array_equal(pixels, expected)


def test_for_a_face_network_every_face_is_in_the_middle_of_its_crop(audit: pd.DataFrame) -> None:
    """Crops of people keep their margin and their centre where those of the training move."""
    moved = audit.assign(crop_centre_x=1.0, crop_edge_px=9.0, crop_angle_degrees=5.0)
    crops = lazy_photos(moved, 32, 0.5).crops
    assert tuple(crops) == tuple(audit["name"])
    for row, crop in zip(moved.to_dict("records"), crops.values(), strict=True):
        face = detection_of(row)
        assert face is not None
        left, top, right, bottom = face.box
        assert crop.transform.edge_px == pytest.approx(1.5 * max(right - left, bottom - top))
        assert crop.transform.centre_x == pytest.approx((left + right) / 2)
        assert crop.transform.centre_y == pytest.approx((top + bottom) / 2)
        assert crop.transform.angle_degrees == 5.0


def test_twins_are_cropped_like_their_photos(audit: pd.DataFrame) -> None:
    """A twin has its photo's name and square; photos without one have none."""
    twins = lazy_twins(audit, 32)
    assert twins.names == tuple(audit["name"][1::2])
    photos = lazy_faces(audit, "photo", 32)
    for name in twins.names:
        assert twins.crops[name].transform == photos.crops[name].transform
        assert "twins" in twins.crops[name].path


def test_real_pictures_have_no_twins(audit: pd.DataFrame) -> None:
    """Without twins the set is empty and makes nothing."""
    twins = lazy_twins(audit.assign(twin_path=pd.NA), 32)
    assert (twins.names, list(twins.make([])), twins.size_px) == ((), [], 32)


def test_a_fingerprint_changes_with_whatever_changes_the_crop(audit: pd.DataFrame) -> None:
    """Content, square and size decide; the name and the place of the file do not."""
    prints = lazy_faces(audit, "photo", 32).fingerprints
    assert len(set(prints)) == 9
    moved = audit.assign(path="elsewhere", name=[f"n{i}" for i in range(10)])
    assert lazy_faces(moved, "photo", 32).fingerprints == prints
    for changed in (
        lazy_faces(audit, "photo", 33),
        lazy_faces(audit.assign(crop_edge_px=audit["crop_edge_px"] + 1), "photo", 32),
        lazy_faces(audit.assign(content_hash="other" + audit["content_hash"]), "photo", 32),
    ):
        assert not set(changed.fingerprints) & set(prints)


def test_a_picture_that_is_gone_is_named(audit: pd.DataFrame) -> None:
    """A file that vanished since the audit is an error with its name, not a hole."""
    lazy = lazy_faces(audit, "photo", 32)
    Path(audit["path"][4]).unlink()
    with pytest.raises(PictureError, match=r"picture_0004\.png"):
        list(lazy.make(lazy.names))


@pytest.mark.parametrize("name", ["picture_0001.png", pd.NA])
def test_two_rows_never_share_a_crop(audit: pd.DataFrame, name: object) -> None:
    """A name that is there twice, or missing, stops the run: a crop would stand in two splits."""
    audit.loc[5, "name"] = name
    with pytest.raises(PortraitPipelineError, match="name of their own"):
        lazy_faces(audit, "photo", 32)
