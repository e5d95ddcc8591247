"""Which crops belong to a split."""

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
        PortraitPipelineError: if the split is empty.
    """
    rows = splits[(splits["domain"] == domain) & (splits["split"] == split)]
    if rows.empty:
        raise PortraitPipelineError(
            f"the {split} split holds no {domain}, expected at least one: add pictures or change"
            " the sizes of the splits, then run `kedro run --pipeline=ingest`"
        )
    return faces.subset(sorted(rows["name"].astype(str)))
