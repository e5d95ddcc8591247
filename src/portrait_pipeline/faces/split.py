"""Which pictures train, validate and test: decided by content and seed, never by order.

Every picture has a rank, SHA-256 of the seed and its content, read as a number in [0, 1). The
pictures with the lowest ranks are the test set, the next ones validate, the next ones train, and
what is left over is unused. From this follows the law of stability: a picture that is added stands
somewhere in the row and pushes the ones behind it on by one place; so at most one picture leaves
test for validation, at most one leaves validation for training, at most one leaves training, and
none but the new one enters the test set. No picture ever goes from training to test.
"""

import hashlib
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.columns import AUDIT_DTYPES, typed
from portrait_pipeline.parameters import SplitParameters

SPLIT_ORDER = ("test", "validation", "train")
SPLIT_COLUMNS = ["name", "domain", "split", "content_hash", "person"]


def split_pictures(audit: pd.DataFrame, parameters: SplitParameters) -> pd.DataFrame:
    """Return the audit with its `split` column filled for the kept pictures of both sets.

    Copies of a picture and photographs of a person stay together: such a group has the lowest rank
    of its members, and what does not fit into its split is unused rather than elsewhere. Copies
    that lie in both sets follow the photos.

    Raises:
        PortraitPipelineError: if a set has too few faces and `split` is `exact`.
    """
    table = typed(audit, AUDIT_DTYPES)
    table["split"] = pd.Series(pd.NA, index=table.index, dtype="string")
    groups = _groups(table)
    bound: dict[int, str] = {}
    for domain in ("photo", "painting"):
        rows = table[table["kept"] & (table["domain"] == domain)]
        counts = split_counts(len(rows), domain, parameters)
        ranks = rows["content_hash"].map(lambda content: rank(content, parameters.seed))
        placed = _place(rows.assign(rank=ranks, group=groups[rows.index]), counts, bound)
        table.loc[placed.index, "split"] = placed
        bound |= dict(zip(groups[placed.index], placed, strict=True))
    return table


def rank(content_hash: str, seed: int) -> float:
    """Return the place of a picture in [0, 1): SHA-256 of seed and content, over 2^256."""
    digest = hashlib.sha256(f"{seed}:{content_hash}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2.0**48


def split_counts(available: int, domain: str, parameters: SplitParameters) -> dict[str, int]:
    """Return how many pictures each split gets: those asked for or, with too few, their share.

    Raises:
        PortraitPipelineError: if there are too few and `split` is `exact`, or fewer than one for
            each split.
    """
    asked = {
        "test": parameters.num_test,
        "validation": parameters.num_validation,
        "train": parameters.num_train,
    }
    total = sum(asked.values())
    if available >= total:
        return asked
    wanted = " + ".join(f"{asked[name]} {name}" for name in reversed(SPLIT_ORDER))
    found = f"{available} {domain} faces were kept, expected {total} ({wanted})"
    if parameters.split == "exact":
        raise PortraitPipelineError(
            f"{found}: add pictures, or divide what is there with `kedro run --pipeline=ingest"
            " --params splits.split=proportional`"
        )
    if available < sum(count > 0 for count in asked.values()):
        raise PortraitPipelineError(f"{found}, and at least one for each split: add pictures")
    return _shares(asked, available)


def _shares(asked: Mapping[str, int], available: int) -> dict[str, int]:
    """Divide in proportion, the largest remainders rounded up, at least one where any is asked."""
    least = {name: min(count, 1) for name, count in asked.items()}
    free = available - sum(least.values())
    weight = {name: asked[name] - least[name] for name in asked}
    total = sum(weight.values())
    exact = {name: free * weight[name] / total for name in asked}
    shares = {name: int(exact[name]) for name in asked}
    by_remainder = sorted(asked, key=lambda name: shares[name] - exact[name])
    for name in by_remainder[: free - sum(shares.values())]:
        shares[name] += 1
    return {name: least[name] + shares[name] for name in asked}


def _groups(table: pd.DataFrame) -> pd.Series:
    """Number what no split may part: pictures joined by a cluster of copies or by a person."""
    kept = table[table["kept"]]
    unknown = kept["person"] < 0
    clusters = pd.factorize(kept["cluster"])[0]
    persons = pd.factorize(kept["person"].mask(unknown, -2 - pd.Series(kept.index, kept.index)))[0]
    count = len(clusters) + len(persons)
    ends = (clusters, len(clusters) + persons)
    joined = csr_array((np.ones(len(kept), dtype=np.bool_), ends), shape=(count, count))
    labels = connected_components(joined, directed=False)[1]
    groups = pd.Series(-1, index=table.index, dtype="int64")
    groups[kept.index] = labels[clusters]
    return groups


def _place(rows: pd.DataFrame, counts: Mapping[str, int], bound: Mapping[int, str]) -> pd.Series:
    """Walk through the groups by rank and fill one split after the other."""
    room = dict(counts)
    placed: dict[int, str] = {}
    groups = rows.sort_values("rank").groupby("group", sort=False).groups
    members = {int(str(group)): list(index) for group, index in groups.items()}
    for group in sorted(members, key=lambda number: number not in bound):
        split = bound.get(group) or next((name for name in SPLIT_ORDER if room[name]), None)
        if split is not None:
            taken = members[group][: room[split]]
            room[split] -= len(taken)
            placed |= dict.fromkeys(taken, split)
    return pd.Series(placed, dtype="string")
