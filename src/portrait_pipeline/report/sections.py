"""The texts and tables of the page: results, ranking of portraits, data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pandas as pd

from portrait_pipeline.file_names import path_of_text
from portrait_pipeline.images import FaceSet
from portrait_pipeline.pictures import ListingFault, PictureError, decode_reduced, read_file
from portrait_pipeline.report.differences import DifferenceRow
from portrait_pipeline.report.headline import HeadlineModel, HeadlineRow
from portrait_pipeline.report.measures import Measure
from portrait_pipeline.report.pictures import THUMBNAIL_PX, to_data_uri
from portrait_pipeline.report.tables import CheckpointRow, LambdaRow, SeedRow, Table
from portrait_pipeline.report.wording import THIN_SPACE, write_number

MAX_RANKED_PICTURES, MAX_CROPS, MAX_LEFT_OUT_PER_REASON = 72, 16, 8


@dataclass(frozen=True)
class ResultsSection:
    """Verdict, headline, all numbers, the tuning table and the sentences that may be concluded.

    `headline_gaps` are the measures of the headline that no model has, each with the reason.
    """

    verdict: str
    deception: str
    conclusion: tuple[str, ...]
    headline_models: tuple[HeadlineModel, ...]
    headline: tuple[HeadlineRow, ...]
    headline_gaps: tuple[tuple[str, str], ...]
    everything: Table
    lambda_measures: tuple[Measure, ...]
    lambda_rows: tuple[LambdaRow, ...]
    checkpoint_measures: tuple[Measure, ...]
    checkpoint_rows: tuple[CheckpointRow, ...]
    seed_measures: tuple[Measure, ...]
    seed_rows: tuple[SeedRow, ...]
    difference_measures: tuple[Measure, ...]
    difference_rows: tuple[DifferenceRow, ...]
    choice: tuple[str, ...]
    judge: str
    teacher: str

    @property
    def has_twin(self) -> bool:
        """Whether the painted twins of the photos are known and marked on the scales."""
        return any(mark.kind == "painted_twin" for row in self.headline for mark in row.marks)


@dataclass(frozen=True)
class Thumbnail:
    """A small picture and its caption; `uri` is empty where there is no picture."""

    name: str
    uri: str
    caption: str = ""


@dataclass(frozen=True)
class RankedPicture:
    """One test picture: its place, its photo and its portraits."""

    place: int
    name: str
    pictures: tuple[Thumbnail, ...]


@dataclass(frozen=True)
class RankingSection:
    """Test pictures from the best to the worst kept person."""

    rule: str
    total: int
    rows: tuple[RankedPicture, ...]


@dataclass(frozen=True)
class DomainCounts:
    """Where the files of one domain went; `unaccounted` is 0 unless a stage lost some.

    `reflected_share` is how much of the area of its crops lies beyond their pictures.
    """

    label: str
    files: int
    kept: int
    left_out: Mapping[str, int]
    splits: Mapping[str, int]
    reflected_share: float | None

    @property
    def unaccounted(self) -> int:
        """Files that are neither kept nor left out with a reason."""
        return self.files - self.kept - sum(self.left_out.values())


@dataclass(frozen=True)
class LeftOutGroup:
    """Some of the pictures that were left out for one reason."""

    reason: str
    total: int
    pictures: tuple[Thumbnail, ...]


@dataclass(frozen=True)
class DataSection:
    """Counts of both domains, some crops, and some of what was left out."""

    domains: tuple[DomainCounts, ...]
    crops: Mapping[str, tuple[Thumbnail, ...]]
    left_out: tuple[LeftOutGroup, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every reason for which a file was left out, in either domain."""
        return tuple(dict.fromkeys(reason for domain in self.domains for reason in domain.left_out))

    @property
    def reflection(self) -> str:
        """How much of the crops no camera or brush has made; empty where that is not known.

        Where the two domains differ in it, a model may learn to paint reflections.
        """
        shares = [
            f"{write_number(100.0 * one.reflected_share, 0)}{THIN_SPACE}% ({one.label.lower()})"
            for one in self.domains
            if one.reflected_share is not None
        ]
        if not shares:
            return ""
        return (
            f"Of the area of the crops {' and '.join(shares)} lies beyond the border of its picture"
            " and shows a blurred reflection."
        )

    @property
    def split_names(self) -> tuple[str, ...]:
        """The splits in their usual order, then any other."""
        named = {split for domain in self.domains for split in domain.splits}
        usual = [split for split in ("train", "validation", "test") if split in named]
        return (*usual, *sorted(named - set(usual)))


def make_thumbnails(faces: FaceSet, names: Sequence[str]) -> tuple[Thumbnail, ...]:
    """Turn the named crops into thumbnails."""
    return tuple(
        Thumbnail(name=name, uri=to_data_uri(pixels))
        for name, pixels in zip(names, faces.subset(names)[list(range(len(names)))], strict=True)
    )


def read_thumbnail(path: str) -> str:
    """Read a source picture as a thumbnail; an empty string where it cannot be read.

    The pictures that were left out include those that no library can open, so a failure here is
    what the page shows, not a mistake.
    """
    try:
        picture = decode_reduced(read_file(path_of_text(path)), path, THUMBNAIL_PX)
    except PictureError:
        return ""
    return to_data_uri(np.asarray(picture.image))


def count_domains(summary: Mapping[str, Any]) -> tuple[DomainCounts, ...]:
    """Read the counts of each domain from `ingestion_summary`."""
    return tuple(
        DomainCounts(
            label="Photos" if domain == "photo" else "Paintings",
            files=int(summary[domain]["files"]),
            kept=int(summary[domain]["kept"]),
            left_out={str(k): int(v) for k, v in summary[domain].get("left_out", {}).items()},
            splits={str(k): int(v) for k, v in summary[domain].get("splits", {}).items()},
            reflected_share=summary[domain].get("reflected_share"),
        )
        for domain in ("photo", "painting")
        if domain in summary
    )


def group_left_out(audit: pd.DataFrame) -> tuple[LeftOutGroup, ...]:
    """Show a few pictures for each reason, the commonest reason first."""
    rejected = audit[~audit["kept"].astype(bool)]
    groups = []
    for reason, total in rejected["reason"].value_counts().items():
        rows = rejected[rejected["reason"] == reason].head(MAX_LEFT_OUT_PER_REASON)
        pictures = tuple(_show_left_out(row) for row in rows.to_dict(orient="records"))
        groups.append(LeftOutGroup(reason=str(reason), total=int(total), pictures=pictures))
    return tuple(groups)


def _show_left_out(row: Mapping[Any, Any]) -> Thumbnail:
    kept_instead = row.get("duplicate_of")
    is_duplicate = isinstance(kept_instead, str) and kept_instead != ""
    return Thumbnail(
        name=str(row["name"]),
        uri="" if row["reason"] in get_args(ListingFault) else read_thumbnail(str(row["path"])),
        caption=f"{row['domain']}, as {kept_instead}" if is_duplicate else str(row["domain"]),
    )
