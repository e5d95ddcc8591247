"""What only all files together decide: which are copies, and where every picture belongs.

All else in the audit follows from one file. So shards audit their files by themselves, hand on a
few columns of them (`keys_of`), and get back what was decided (`settle`); the whole table of a
million files is in the memory of no process.
"""

import hashlib
from typing import Any, Protocol

import numpy as np
import pandas as pd
from jaxtyping import Int, UInt64

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.columns import AUDIT_DTYPES, CROP_COLUMNS, typed
from portrait_pipeline.faces.duplicates import duplicate_clusters
from portrait_pipeline.parameters import AuditParameters, FaceParameters

FACE_FAULTS = ("no face", "low probability", "too small")
CONTENT_COLUMNS = ["content_high", "content_low"]
DECIDED_COLUMNS = ["kept", "reason", "crop_from", "cluster", "duplicate_of", "person", "split"]
"""Of the audit: what the decisions are about."""


class Columns(Protocol):
    """Columns by name: a table, or those of shards, put together when they are asked for."""

    def __getitem__(self, name: str, /) -> Any:
        """Return a column as a `pandas.Series`."""

    def __len__(self) -> int:
        """How many rows there are."""


def keys_of(audit: pd.DataFrame) -> pd.DataFrame:
    """Return what the decisions need to know of files that were audited by themselves.

    A file takes less than 100 bytes: hashes and names of a few things are numbers, not text.
    """
    kept = audit["kept"]
    named = audit[["domain", "reason", "crop_from"]].astype("category")
    hashes = audit["perceptual_hash"].where(kept, "0").tolist()
    keys = named.assign(
        name=audit["name"],
        kept=kept,
        reflected_share=audit["reflected_share"],
        is_faceless=audit["fault"].isin(FACE_FAULTS),
        pixels=audit["width_px"] * audit["height_px"],
        perceptual_word=np.array([int(text, 16) for text in hashes], dtype=np.uint64),
    )
    keys[CONTENT_COLUMNS] = _content_words(audit["content_hash"].where(kept, ""))
    return keys


def decide_copies(
    keys: Columns, faces: FaceParameters, parameters: AuditParameters
) -> pd.DataFrame:
    """Find the copies within both sets, and keep of each cluster the largest picture of each set.

    Args:
        keys: Of all files: photos, then paintings.
        faces: What is done with pictures without a face.
        parameters: When pictures are copies, and whether these are left out.

    Returns:
        For each file its domain, `reflected_share` and `DECIDED_COLUMNS`, of which `person` and
        `split` are still empty.

    Raises:
        PortraitPipelineError: if `no_face` is `fail` and a picture has no usable face.
    """
    if faces.no_face == "fail":
        _refuse_faceless(keys)
    taken = ("domain", "kept", "crop_from", "reflected_share")
    decisions = pd.DataFrame({name: keys[name] for name in taken})
    decisions["reason"] = keys["reason"].cat.add_categories("duplicate")
    decisions["cluster"] = _clusters(keys, parameters.near_duplicate_distance_bits)
    decisions["duplicate_of"] = pd.Series(pd.NA, index=decisions.index, dtype="string")
    decisions["person"] = -1
    decisions["split"] = pd.Series(pd.NA, index=decisions.index, dtype="category")
    if parameters.drop_duplicates:
        best = _larger_copies(keys, decisions)
        decisions.loc[best.index, "duplicate_of"] = best
        decisions.loc[best.index, "reason"] = "duplicate"
        decisions.loc[best.index, "crop_from"] = None
        decisions.loc[best.index, "kept"] = False
    return decisions


def settle(audit: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """Write into the audit of some files what was decided about them; both in one order."""
    if len(audit) != len(decisions):
        raise ValueError(f"{len(decisions)} files were decided on, expected {len(audit)}")
    decided = {name: decisions[name].array for name in DECIDED_COLUMNS}
    settled = typed(audit.assign(**decided), AUDIT_DTYPES)
    settled.loc[~settled["kept"], [*CROP_COLUMNS, "reflected_share"]] = np.nan
    return settled


def _refuse_faceless(keys: Columns) -> None:
    faceless = keys["name"][keys["is_faceless"]]
    if len(faceless):
        names = ", ".join(faceless.head(3))
        raise PortraitPipelineError(
            f"no_face is fail, and {len(faceless)} of {len(keys)} pictures have no usable face"
            f" ({names} …): take them away, or set no_face to drop or centre"
        )


def _content_words(hashes: pd.Series) -> UInt64[np.ndarray, "files 2"]:
    """Return half a SHA-256 of each content hash: equal for equal ones, and for no others."""
    digests = b"".join(hashlib.sha256(str(text).encode()).digest()[:16] for text in hashes)
    return np.frombuffer(digests, dtype=np.uint64).reshape(-1, 2)


def _clusters(keys: Columns, distance_bits: int) -> Int[np.ndarray, " files"]:
    """Number the clusters of copies among the pictures of both sets that are kept so far; else -1.

    A picture that lies in both sets is one cluster, so that no split parts it from itself.
    """
    kept = keys["kept"].to_numpy()
    contents = _numbered(*(keys[name].to_numpy()[kept] for name in CONTENT_COLUMNS))
    words = keys["perceptual_word"].to_numpy()[kept]
    clusters = np.full(len(keys), -1, dtype=np.int64)
    clusters[kept] = duplicate_clusters(contents, words, distance_bits)
    return clusters


def _numbered(
    high: UInt64[np.ndarray, " pictures"], low: UInt64[np.ndarray, " pictures"]
) -> Int[np.ndarray, " pictures"]:
    """Number pairs of words, equal ones alike."""
    order = np.lexsort((low, high))
    is_new = np.zeros(len(order), dtype=np.bool_)
    for words in (high[order], low[order]):
        is_new[1:] |= words[1:] != words[:-1]
    numbers = np.empty(len(order), dtype=np.int64)
    numbers[order] = np.cumsum(is_new)
    return numbers


def _larger_copies(keys: Columns, decisions: pd.DataFrame) -> pd.Series:
    """Name for each copy that is left out the one that is kept: most pixels, then first by name."""
    clusters = decisions.loc[decisions["kept"], ["domain", "cluster"]]
    copies = clusters[clusters.duplicated(keep=False)]
    order = copies.assign(**{name: keys[name][copies.index] for name in ("name", "pixels")})
    order = order.sort_values(["pixels", "name"], ascending=[False, True])
    best = order.groupby(["domain", "cluster"])["name"].transform("first")
    return best[best != order["name"]]
