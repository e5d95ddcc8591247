"""Which crops belong to a split."""

import hashlib

import numpy as np
import pandas as pd

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.images import FaceSet
from portrait_pipeline.parameters import Domain, Split


def select_split(faces: FaceSet, splits: pd.DataFrame, domain: Domain, split: Split) -> FaceSet:
    """Take the crops of one split, in the order of their names, as a view.

    Args:
        faces: All crops of the domain.
        splits: Columns name, domain, split.
        domain: Which of the two picture sets `faces` is.
        split: train, validation or test.

    Raises:
        PortraitPipelineError: if the split is empty, or its names and the crops do not agree.
    """
    rows = splits[(splits["domain"] == domain) & (splits["split"] == split)]
    if rows.empty:
        raise PortraitPipelineError(
            f"the {split} split holds no {domain}, expected at least one: add pictures or change"
            " the sizes of the splits, then run `kedro run --pipeline=ingest`"
        )
    names = sorted(rows["name"].astype(str))
    absent = set(names) - set(faces.names)
    if absent or len(set(names)) < len(names):
        raise PortraitPipelineError(
            f"the {split} split names {len(names)} {domain}s, of which {len(absent)} have no crop"
            f" and {len(names) - len(set(names))} are named twice, expected one crop for each name:"
            " run `kedro run --pipeline=ingest`"
        )
    return faces.subset(names)


def choose_pictures(faces: FaceSet, count: int, seed: int) -> FaceSet:
    """Choose some crops by their content and a seed, so that renamed files are chosen again.

    Returns:
        All crops as they are where there are at most `count`, else `count` of them.
    """
    if len(faces) <= count:
        return faces

    return faces.subset(shuffled_by_content(faces, seed).names[:count])


def shuffled_by_content(faces: FaceSet, seed: int) -> FaceSet:
    """Order crops by a hash of seed and pixels: as good as random, and blind to their names.

    The first crops of such a set are a fair sample of it. Equal crops keep the order of their
    names, which changes nothing that is measured.
    """

    def place(row: int) -> bytes:
        pixels = np.ascontiguousarray(faces[row]).tobytes()
        return hashlib.sha256(f"{seed}:".encode() + pixels).digest()

    order = sorted(range(len(faces)), key=lambda row: (place(row), faces.names[row]))
    return faces.subset([faces.names[row] for row in order])
