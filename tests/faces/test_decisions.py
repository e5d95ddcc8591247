"""Laws of what is decided over all files: it follows from their keys, wherever these lie."""

import numpy as np
import pandas as pd
import pytest
from support.ingestion import AUDIT, FACES, face_at

from portrait_pipeline.faces.audit import audit_files, audit_pictures
from portrait_pipeline.faces.columns import survey_table
from portrait_pipeline.faces.decisions import decide_copies, keys_of, settle
from portrait_pipeline.faces.record import PictureRecord, without_picture
from portrait_pipeline.faces.shards import MergedColumns, divide_shards, shards_of
from portrait_pipeline.parameters import Domain

KEPT = AUDIT.model_copy(update={"near_duplicate_distance_bits": 0, "drop_duplicates": False})


def survey(domain: Domain, count: int, seed: int) -> pd.DataFrame:
    """Draw files of which many are copies, of a few sizes, and some are left out."""
    draw = np.random.default_rng(seed)
    records = []
    for _ in range(count):
        content, hash_of, size = (int(value) for value in draw.integers(0, 8, 3))
        word = f"{int(np.random.default_rng(hash_of).integers(0, 2**63)):016x}"
        good = PictureRecord(f"{content}", None, 200 + size // 4, 160, word, 0.1, 0.5, 0.1, FACE)
        records.append(good if draw.uniform() < 0.8 else without_picture("b", "truncated"))
    names = [f"{name}.jpg" for name in draw.permutation(count)]
    table = pd.DataFrame({"name": names, "path": names, "twin_path": pd.NA})
    return survey_table(table, domain, records)


FACE = face_at(20, 20, 60, 5.0)
SURVEYS = [
    pd.concat([survey("photo", 12, seed), survey("painting", 9, seed + 50)], ignore_index=True)
    for seed in range(6)
]


@pytest.mark.parametrize("both", SURVEYS)
@pytest.mark.parametrize("num_shards", [1, 4, 30])
def test_the_decisions_do_not_depend_on_the_shards(both: pd.DataFrame, num_shards: int) -> None:
    """Law: shards that audit their files by themselves and settle have the rows of one audit."""
    order = shards_of(both["name"] + both["domain"], num_shards)
    audits = [audit_files(shard, FACES, AUDIT) for shard in divide_shards(both, order, num_shards)]
    decisions = decide_copies(MergedColumns(order, list(map(keys_of, audits))), FACES, AUDIT)
    divided = divide_shards(decisions, order, num_shards)
    whole = divide_shards(audit_pictures(both, FACES, AUDIT), order, num_shards)
    for audit, decided, expected in zip(audits, divided, whole, strict=True):
        pd.testing.assert_frame_equal(settle(audit, decided), expected)


@pytest.mark.parametrize("both", SURVEYS)
def test_equal_contents_are_one_cluster(both: pd.DataFrame) -> None:
    """Law: with hashes that all differ, clusters are the contents, numbered as they appear."""
    words = [f"{row:016x}" for row in range(len(both))]
    audit = audit_files(both.assign(perceptual_hash=words), FACES, KEPT)
    decisions = decide_copies(keys_of(audit), FACES, KEPT)
    contents = audit.loc[audit["kept"], "content_hash"]
    expected = np.where(audit["kept"], pd.factorize(contents)[0].max() + 1, -1)
    expected[audit["kept"]] = pd.factorize(contents)[0]
    assert decisions["cluster"].tolist() == expected.tolist()


def test_half_a_hash_is_not_enough() -> None:
    """Law: contents are one only if both words are, whichever of them differs."""
    audit = audit_files(
        SURVEYS[0].dropna(subset="content_hash").query("fault.isna()").head(4), FACES, KEPT
    )
    keys = keys_of(audit).assign(
        kept=True,
        perceptual_word=np.arange(4, dtype=np.uint64),
        content_high=np.array([2**63, 2**63, 2**63 + 1, 2**63], dtype=np.uint64),
        content_low=np.array([7, 8, 7, 7], dtype=np.uint64),
    )
    assert decide_copies(keys, FACES, KEPT)["cluster"].tolist() == [0, 1, 2, 0]


def test_decisions_about_other_files_are_refused() -> None:
    """Law: a shard is settled with as many decisions as it has files."""
    audit = audit_files(SURVEYS[0], FACES, AUDIT)
    decisions = decide_copies(keys_of(audit), FACES, AUDIT)
    with pytest.raises(ValueError, match="20 files were decided on, expected 21"):
        settle(audit, decisions.head(20))
