"""Photographs of one person are found by complete linkage and never parted by a split."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from portrait_pipeline.datasets.embedding_folder import EmbeddingFolder
from portrait_pipeline.datasets.embeddings import SqliteEmbeddingStore
from portrait_pipeline.faces.audit import summarise
from portrait_pipeline.faces.columns import AUDIT_DTYPES, typed
from portrait_pipeline.faces.lazy import LazyFaceSet
from portrait_pipeline.faces.persons import add_persons, describe_with_dlib, person_clusters
from portrait_pipeline.faces.split import split_pictures
from portrait_pipeline.parameters import PersonParameters, SplitParameters

PERSONS = PersonParameters(max_distance=0.45, max_photos=1000)
SPLITS = SplitParameters(num_train=30, num_validation=10, num_test=10, split="exact", seed=0)


def partition(numbers: np.ndarray) -> set[frozenset[int]]:
    groups: dict[int, set[int]] = {}
    for row, number in enumerate(numbers.tolist()):
        groups.setdefault(number, set()).add(row)
    return {frozenset(group) for group in groups.values()}


def audit_of(num_photos: int, num_paintings: int = 60) -> pd.DataFrame:
    names = [f"photo {row}" for row in range(num_photos)]
    names += [f"painting {row}" for row in range(num_paintings)]
    domains = ["photo"] * num_photos + ["painting"] * num_paintings
    rows = {
        "name": names,
        "domain": domains,
        "path": names,
        "content_hash": [f"{hash_of:064x}" for hash_of in range(len(names))],
        "cluster": range(len(names)),
        "person": -1,
        "kept": True,
        "width_px": 1,
        "height_px": 1,
    }
    return typed(pd.DataFrame(rows), AUDIT_DTYPES)


def describe_pairs(photos: LazyFaceSet) -> np.ndarray:
    """Let photographs 2k and 2k + 1 show one person, all others be strangers."""
    people = np.array([int(name.split()[1]) // 2 for name in photos.names])
    noise = np.random.default_rng(0).normal(0, 0.01, (len(people), 64))
    return np.eye(64)[people] + noise


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("distance", [0.3, 0.8, 2.0])
def test_clusters_are_those_of_complete_linkage(seed: int, distance: float) -> None:
    """Law: splitting into components first changes nothing; every pair of a person is near."""
    points = np.random.default_rng(seed).uniform(0, 2, (60, 3))
    numbers = person_clusters(points, distance)
    whole = fcluster(linkage(points, method="complete"), distance, criterion="distance")
    assert partition(numbers) == partition(whole)
    for group in partition(numbers):
        rows = points[sorted(group)]
        assert np.linalg.norm(rows[:, None] - rows[None], axis=2).max() <= distance


def test_a_chain_of_look_alikes_is_not_one_person() -> None:
    """Five points, each near the next one alone: no cluster holds more than two."""
    points = np.arange(5.0)[:, None] * 0.4
    assert max(len(group) for group in partition(person_clusters(points, 0.45))) == 2


def test_nobody_and_one_photograph_have_their_clusters() -> None:
    """The ends of the range: no photograph, one, and all the same."""
    assert person_clusters(np.empty((0, 4)), 0.4).tolist() == []
    assert person_clusters(np.ones((1, 4)), 0.4).tolist() == [0]
    assert person_clusters(np.ones((3, 4)), 0.4).tolist() == [0, 0, 0]


@pytest.mark.parametrize("seed", range(5))
def test_no_split_parts_a_person(seed: int) -> None:
    """Law: all photographs of a person that are used are in one split."""
    audit, _ = add_persons(audit_of(60), PERSONS, describe_pairs)
    split = split_pictures(audit, SPLITS.model_copy(update={"seed": seed}))
    photos = split[split["domain"] == "photo"].dropna(subset=["split"])
    assert photos.groupby("person")["split"].nunique().max() == 1
    assert len(photos) == 50
    without = split_pictures(audit_of(60), SPLITS.model_copy(update={"seed": seed}))
    parted = without.assign(person=audit["person"])
    parted = parted[parted["domain"] == "photo"].dropna(subset=["split"])
    assert parted.groupby("person")["split"].nunique().max() > 1


def test_copies_and_persons_join_into_one_group() -> None:
    """A copy of a person's photograph follows that person, over both sets."""
    audit, _ = add_persons(audit_of(60), PERSONS, describe_pairs)
    audit.loc[audit["name"] == "photo 4", "cluster"] = 1  # a copy of photo 1, of another person
    audit.loc[audit["name"] == "painting 0", "cluster"] = 5  # a copy of photo 5
    split = split_pictures(audit, SPLITS).set_index("name")["split"]
    joined = split[["photo 0", "photo 1", "photo 4", "photo 5", "painting 0"]].dropna()
    assert joined.nunique() == 1


def test_single_persons_leave_the_splits_as_they_are() -> None:
    """Law: where everybody is there once, persons change no split."""
    audit = audit_of(60)
    persons = audit.assign(person=np.where(audit["domain"] == "photo", np.arange(len(audit)), -1))
    assert split_pictures(persons, SPLITS)["split"].equals(split_pictures(audit, SPLITS)["split"])


def test_the_audit_says_how_many_people_there_are() -> None:
    """The sentence and the summary count people, and name the largest cluster."""
    audit, sentence = add_persons(audit_of(60), PERSONS, describe_pairs)
    assert "60 photographs show 30 people" in sentence
    assert "the most frequent in 2" in sentence
    summary = summarise(split_pictures(audit, SPLITS))
    assert summary["photo"]["persons"] == {"found": 30, "largest": 2}
    assert summary["painting"]["persons"] == {"found": 0, "largest": 0}


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"max_distance": None}, "max_distance is null"), ({"max_photos": 59}, "more than")],
)
def test_where_people_are_not_looked_for_the_audit_says_so(
    changes: dict[str, object], words: str
) -> None:
    """Above the stated number, or switched off: nothing is described, and the sentence says why."""

    def refuse(photos: LazyFaceSet) -> np.ndarray:
        raise AssertionError("described")

    audit, sentence = add_persons(audit_of(60), PERSONS.model_copy(update=changes), refuse)
    assert words in sentence
    assert (audit["person"] == -1).all()


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_described_photograph_is_not_described_again(
    is_folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second look asks the store alone; descriptors are dlib's raw ones."""
    photos = LazyFaceSet({f"{row}": None for row in range(18)}, 150)  # type: ignore[dict-item]
    crops = np.random.default_rng(0).integers(0, 256, (18, 150, 150, 3), np.uint8)
    made: list[str] = []
    monkeypatch.setattr(LazyFaceSet, "fingerprints", property(lambda self: self.names))

    def make(_: LazyFaceSet, names: list[str]) -> Iterator[np.ndarray]:
        made.extend(names)
        yield from crops[[int(name) for name in names]]

    monkeypatch.setattr(LazyFaceSet, "make", make)
    store = EmbeddingFolder(tmp_path) if is_folder else SqliteEmbeddingStore(tmp_path / "e.sqlite")
    describe = describe_with_dlib(store)
    first = describe(photos)
    assert first.shape == (18, 128)
    assert np.linalg.norm(first, axis=1).min() > 1.01  # not normalised
    assert len(made) == 18
    assert np.array_equal(describe(photos), first)
    assert len(made) == 18
