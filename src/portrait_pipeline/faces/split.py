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
from itertools import pairwise

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.columns import AUDIT_DTYPES, typed
from portrait_pipeline.parameters import SplitParameters

SPLIT_ORDER = ("test", "validation", "train")
NOWHERE = -1
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
    ranks = content_ranks(table["content_hash"].where(table["kept"]), parameters.seed)
    table["split"] = choose_splits(table.assign(rank=ranks), parameters).astype("string")
    return table


def choose_splits(table: pd.DataFrame, parameters: SplitParameters) -> pd.Series:
    """Return the split of every picture of both sets, by the rules of `split_pictures`.

    Args:
        table: `domain`, `kept`, `cluster`, `person` and `rank` of every file.
        parameters: How many pictures each split gets.
    """
    groups = _groups(table)
    bound = np.full(groups.max(initial=-1) + 1, NOWHERE)
    places = np.full(len(table), NOWHERE, dtype=np.int64)
    for domain in ("photo", "painting"):
        rows = np.flatnonzero(table["kept"] & (table["domain"] == domain))
        counts = split_counts(len(rows), domain, parameters)
        rows = rows[np.argsort(table["rank"].to_numpy()[rows], kind="stable")]
        places[rows] = _place(groups[rows], counts, bound)
        rows = rows[places[rows] != NOWHERE]
        bound[groups[rows]] = places[rows]
    names = pd.Categorical.from_codes(places, pd.Index(SPLIT_ORDER))
    return pd.Series(names, index=table.index)


def describe_splits(audit: pd.DataFrame) -> list[str]:
    """Say in one line for each domain how many pictures each split has."""
    counts = audit.groupby(["domain", "split"]).size()
    names = tuple(reversed(SPLIT_ORDER))
    parts = {
        domain: ", ".join(f"{counts.get((domain, name), 0)} {name}" for name in names)
        for domain in ("photo", "painting")
    }
    return [f"{domain}s: {part}" for domain, part in parts.items()]


def content_ranks(content_hashes: pd.Series, seed: int) -> Float[np.ndarray, " files"]:
    """Return the rank of every content; NaN where there is none."""
    known = content_hashes.notna()
    ranks = np.full(len(content_hashes), np.nan)
    ranks[known] = [rank(content, seed) for content in content_hashes[known]]
    return ranks


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


def _groups(table: pd.DataFrame) -> Int[np.ndarray, " files"]:
    """Number what no split may part: pictures joined by a cluster of copies or by a person."""
    groups = table["cluster"].to_numpy(copy=True)
    persons = table["person"].to_numpy()
    kept = table["kept"].to_numpy()
    known = kept & (persons >= 0)
    num_clusters, num_persons = (values.max(initial=-1) + 1 for values in (groups, persons))
    ends = (groups[known], num_clusters + persons[known])
    count = num_clusters + num_persons
    joined = csr_array((np.ones(known.sum(), dtype=np.bool_), ends), shape=(count, count))
    groups[kept] = connected_components(joined, directed=False)[1][groups[kept]]
    groups[~kept] = NOWHERE
    return groups


def _place(
    groups: Int[np.ndarray, " pictures"],
    counts: Mapping[str, int],
    bound: Int[np.ndarray, " groups"],
) -> Int[np.ndarray, " pictures"]:
    """Walk through the groups by rank, bound ones first, and fill one split after the other.

    Args:
        groups: The group of each picture, the pictures by rank.
        counts: How many pictures each split gets.
        bound: Of every group the place in `SPLIT_ORDER` that it must go to, or `NOWHERE`.

    Returns:
        The place of each picture in `SPLIT_ORDER`, or `NOWHERE`.
    """
    room = [counts[name] for name in SPLIT_ORDER]
    numbers = pd.factorize(groups)[0]  # by the lowest rank
    order = np.lexsort((numbers, bound[groups] == NOWHERE))  # members stay by rank
    starts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    places = np.full(len(groups), NOWHERE)
    for start, end in pairwise([*starts.tolist(), len(groups)]):
        place = int(bound[groups[order[start]]])
        if place == NOWHERE:
            place = next((place for place, free in enumerate(room) if free), NOWHERE)
        if place == NOWHERE:
            break
        taken = order[start : min(end, start + room[place])]
        places[taken] = place
        room[place] -= len(taken)
    return places
