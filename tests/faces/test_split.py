"""Splits are decided by content and seed alone, and are stable."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.columns import AUDIT_DTYPES, typed
from portrait_pipeline.faces.split import rank, split_counts, split_pictures
from portrait_pipeline.parameters import SplitParameters

COUNTS = {"num_train": 40, "num_validation": 20, "num_test": 20}
ASKED = SplitParameters(**COUNTS, split="exact", seed=0)
PLACES = {"test": 0, "validation": 1, "train": 2, "unused": 3}


def audit_of(
    contents: list[str], domain: str = "photo", clusters: list[int] | None = None
) -> pd.DataFrame:
    hashes = [hashlib.sha256(content.encode()).hexdigest() for content in contents]
    table = pd.DataFrame(
        {
            "name": contents,
            "domain": domain,
            "content_hash": hashes,
            "cluster": clusters or list(range(len(contents))),
            "kept": True,
            "width_px": 1,
            "height_px": 1,
        }
    )
    return typed(table, AUDIT_DTYPES)


def with_portraits(photos: pd.DataFrame, first_cluster: int = 10_000) -> pd.DataFrame:
    """Add a plain set of paintings, for a split needs both."""
    names = [f"painting {index}" for index in range(90)]
    paintings = audit_of(names, "painting", [first_cluster + index for index in range(90)])
    return pd.concat([photos, paintings], ignore_index=True)


def places(audit: pd.DataFrame, parameters: SplitParameters = ASKED) -> dict[str, int]:
    split = split_pictures(with_portraits(audit), parameters)
    photos = split[split["domain"] == "photo"]
    return dict(zip(photos["name"], photos["split"].fillna("unused").map(PLACES), strict=True))


NAMES = [f"photo {index}" for index in range(100)]


def test_the_counts_are_those_asked_for() -> None:
    """Exactly as many pictures as asked are in each split, none in two, the rest unused."""
    counted = pd.Series(places(audit_of(NAMES))).value_counts()
    assert counted.to_dict() == {0: 20, 1: 20, 2: 40, 3: 20}


def test_order_does_not_matter() -> None:
    """Any order of the files gives the same splits."""
    shuffled = [NAMES[index] for index in np.random.default_rng(0).permutation(100)]
    assert places(audit_of(shuffled)) == places(audit_of(NAMES))


def test_another_seed_is_another_split() -> None:
    """The seed decides, and two seeds divide almost independently."""
    other = places(audit_of(NAMES), SplitParameters(**COUNTS, split="exact", seed=1))
    same = sum(other[name] == place for name, place in places(audit_of(NAMES)).items())
    assert same < 60


@pytest.mark.parametrize("new", ["new one", "another", "a third", "fourth", "5"])
def test_adding_a_picture_moves_at_most_one_across_each_boundary(new: str) -> None:
    """The law of stability: others move only one split on, at most one over each boundary.

    In particular none but the new one enters the test set, and none leaves training for it.
    """
    before, after = places(audit_of(NAMES)), places(audit_of([*NAMES, new]))
    moved = [(before[name], after[name]) for name in NAMES if before[name] != after[name]]
    assert all(there == here + 1 for here, there in moved)
    assert len(set(moved)) == len(moved)


@pytest.mark.parametrize("gone", range(0, 100, 17))
def test_taking_a_picture_away_moves_at_most_one_across_each_boundary(gone: int) -> None:
    """The law holds backwards: others move one split up, at most one over each boundary."""
    rest = [name for index, name in enumerate(NAMES) if index != gone]
    before, after = places(audit_of(NAMES)), places(audit_of(rest))
    moved = [(before[name], after[name]) for name in rest if before[name] != after[name]]
    assert all(there == here - 1 for here, there in moved)
    assert len(set(moved)) == len(moved)


def test_ranks_are_even() -> None:
    """Ranks lie in [0, 1) and fill it evenly."""
    ranks = np.array([rank(str(index), 0) for index in range(4000)])
    assert ranks.min() >= 0.0
    assert ranks.max() < 1.0
    assert np.abs(np.histogram(ranks, 10, (0, 1))[0] - 400).max() < 80


def test_clusters_never_straddle() -> None:
    """With copies kept, the used members of a cluster share a split; counts are exact."""
    clusters = [index // 3 for index in range(150)]
    audit = audit_of([f"photo {index}" for index in range(150)], clusters=clusters)
    split = split_pictures(with_portraits(audit), ASKED)
    used = split[(split["domain"] == "photo") & split["split"].notna()]
    assert (used.groupby("cluster")["split"].nunique() == 1).all()
    assert used["split"].value_counts().to_dict() == {"train": 40, "validation": 20, "test": 20}


def test_a_picture_in_both_sets_is_in_one_split() -> None:
    """Pictures in both sets follow the photo, and both sets keep their counts."""
    photos = audit_of(NAMES)
    shared = audit_of(NAMES[:50], "painting", list(range(50)))
    audit = with_portraits(pd.concat([photos, shared], ignore_index=True))
    split = split_pictures(audit, ASKED)
    used = split[split["split"].notna()]
    assert (used.groupby("cluster")["split"].nunique() == 1).all()
    for domain in ("photo", "painting"):
        counts = used.loc[used["domain"] == domain, "split"].value_counts().to_dict()
        assert counts == {"train": 40, "validation": 20, "test": 20}


def test_left_out_pictures_have_no_split() -> None:
    """What was not kept is in no split and counts for nothing."""
    audit = audit_of(NAMES)
    audit.loc[:9, "kept"] = False
    split = split_pictures(with_portraits(audit), ASKED)
    assert split.loc[:9, "split"].isna().all()


def test_a_shortage_is_one_sentence_with_the_numbers_and_the_command() -> None:
    """Too few faces name both numbers, each split and what fixes it."""
    sentence = (
        r"^70 photo faces were kept, expected 80 \(40 train \+ 20 validation \+ 20 test\): add"
        r" pictures, or .*`kedro run --pipeline=ingest --params splits\.split=proportional`$"
    )
    with pytest.raises(PortraitPipelineError, match=sentence):
        split_pictures(with_portraits(audit_of(NAMES[:70])), ASKED)


@pytest.mark.parametrize("available", [3, 4, 7, 39, 79])
def test_a_shortage_is_shared_in_proportion(available: int) -> None:
    """Every picture is used, each split has at least one and its share to within one and a half."""
    share = ASKED.model_copy(update={"split": "proportional"})
    counts = split_counts(available, "photo", share)
    assert sum(counts.values()) == available
    assert min(counts.values()) >= 1
    exact = {"train": available / 2, "validation": available / 4, "test": available / 4}
    assert all(abs(counts[name] - exact[name]) <= 1.5 for name in counts)


def test_proportional_shares_only_a_shortage() -> None:
    """With enough pictures the counts are those asked for, whatever `split` says."""
    share = ASKED.model_copy(update={"split": "proportional"})
    assert split_counts(500, "photo", share) == {"test": 20, "validation": 20, "train": 40}


def test_fewer_pictures_than_splits_are_refused() -> None:
    """Two pictures cannot train, validate and test."""
    share = ASKED.model_copy(update={"split": "proportional"})
    with pytest.raises(PortraitPipelineError, match="2 photo faces were kept"):
        split_counts(2, "photo", share)


def test_a_split_that_nobody_asked_for_stays_empty() -> None:
    """Without a validation set everything goes to the others, also in proportion."""
    none = SplitParameters(num_train=10, num_validation=0, num_test=5, split="proportional", seed=0)
    assert split_counts(9, "photo", none) == {"test": 3, "validation": 0, "train": 6}
